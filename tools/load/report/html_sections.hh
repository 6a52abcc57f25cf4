// What the HTML report has below its charts: gates, phases with their timings, close codes, errors,
// storms, the generator and watched processes.
#pragma once

#include <string>

#include "tools/load/report/gates.hh"

namespace load::report {

std::string sections_of(const Result& result, const GateResults& gates);

}  // namespace load::report
