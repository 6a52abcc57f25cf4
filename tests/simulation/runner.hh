// Runs seeds, each in a child of this process, and shortens the one that fails.
#pragma once

#include "tests/simulation/options.hh"

namespace simulation {

// The exit status: 0 if all seeds passed. Ends with the first one that does not.
int run_seeds(const Options& options);

}  // namespace simulation
