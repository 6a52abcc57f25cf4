// The charts of a run, as HTML, each one left out where the run has nothing for it: rate, latency,
// open connections and errors over time, and the percentile curve.
#pragma once

#include <string>

#include "tools/load/result.hh"

namespace load::report {

std::string charts_of(const Result& result);

}  // namespace load::report
