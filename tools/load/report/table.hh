// The result for people, in a terminal of 80 columns: a block for each phase, then what the whole
// run has: closes, errors, storms, the generator, watched processes. The verdict is verdict.hh's.
#pragma once

#include <string>

#include "tools/load/result.hh"

namespace load::report {

std::string table_of(const Result& result);

}  // namespace load::report
