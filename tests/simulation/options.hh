// The command line of `simulate`.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "tests/simulation/scenario.hh"

namespace simulation {

struct Options {
  std::uint64_t from = 1;
  std::uint64_t to = 100;
  std::optional<std::chrono::minutes> minutes;  // ends then, whatever is left
  unsigned jobs = 1;                            // runs at a time
  bool trace = false;                           // one seed, told as it happens
  bool shortens = true;                         // a seed that fails
  Narrowing narrowing;
};

// The error is what to print.
std::expected<Options, std::string> read_options(int argc, char** argv);

// The arguments that repeat a run.
std::string arguments_of(std::uint64_t seed, const Narrowing& narrowing);

}  // namespace simulation
