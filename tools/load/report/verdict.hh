// What a run comes to: an exit status, and the words for it.
//
//     4  nothing could be opened        1  the counters do not add up, or a gate has failed
//     3  the generator was the limit    0  passed
//
// The first that is so, in this order: 4, counters, 3, gates. Figures that the generator set say
// nothing about the target, so gates are not judged by them alone: the words name both.
#pragma once

#include <string>

#include "tools/load/report/gates.hh"

namespace load::report {

int exit_status_of(const Result& result, const GateResults& gates);

// One line for each thing to say, the verdict first.
std::string verdict_of(const Result& result, const GateResults& gates);

}  // namespace load::report
