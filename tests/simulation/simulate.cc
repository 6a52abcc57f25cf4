// Runs the gateway on simulated kernels, one run for each seed, each in a process of its own: a
// broken invariant or a sanitizer's word ends that run alone. See --help.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/simulation/options.hh"
#include "tests/simulation/runner.hh"

int main(int argc, char** argv) {
  const auto options = simulation::read_options(argc, argv);
  if (!options) {
    std::fputs(options.error().c_str(), stderr);
    return 2;
  }
  testing::InitGoogleTest();
  return simulation::run_seeds(*options);
}
