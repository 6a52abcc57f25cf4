// A made-up run that looks like a real one: ramp, hold, a phase with a storm, ramp down; a second
// each interval. Always the same for the same seed; its counters add up.
#pragma once

#include "tools/load/result.hh"

namespace load::sample {

struct Options {
  std::uint64_t seed = 1;
  double slowness = 1;       // factor on all latencies
  std::size_t seconds = 60;  // of the hold phase
};

Result run(const Options& options = {});

}  // namespace load::sample
