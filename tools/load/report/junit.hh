// JUnit's XML, as CI systems read it: a test case for each gate, one for the counters, one for the
// generator, one for the target. What the run itself lacks is an error, a gate is a failure.
#pragma once

#include <string>

#include "tools/load/report/gates.hh"

namespace load::report {

std::string junit_of(const Result& result, const GateResults& gates);

}  // namespace load::report
