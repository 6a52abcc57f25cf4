// Repeatable chance, and the loop over seeds of a simulation. What a seed does is the same in each
// run, so a failure names its seed, and SIMULATION_SEED=n runs that one alone.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "uring/poison.hh"

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  bool chance(unsigned percent) { return between(1, 100) <= percent; }

  // Both ends included.
  std::size_t between(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(engine_);
  }

  // Small and large alike: the logarithm is even.
  std::size_t of_any_size(std::size_t least, std::size_t most) {
    std::size_t upper = least;
    while (upper < most && chance(92)) upper = upper * 2 + 1;
    return between(least, std::min(upper, most));
  }

  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

namespace detail {

// A broken invariant ends the process, before GoogleTest could say where it was.
inline std::uint64_t running_seed = 0;

inline void tell_seed(int) {
  char line[64];
  const int size = std::snprintf(line, sizeof line, "SIMULATION_SEED=%llu\n",
                                 static_cast<unsigned long long>(running_seed));  // NOLINT
  if (size > 0) (void)!write(STDERR_FILENO, line, static_cast<std::size_t>(size));
}

}  // namespace detail

// Calls body(seed) for 1..count, or for the one seed of the environment, until one fails.
template <class Body>
void for_each_seed(std::uint64_t count, Body body) {
  std::uint64_t first = 1;
  if (const char* only = std::getenv("SIMULATION_SEED")) {
    first = std::strtoull(only, nullptr, 10);
    count = first;
  }
#ifdef URING_POISONS
  // Under a sanitizer a seed costs ten times as much.
  if (first == 1) count = std::max<std::uint64_t>(1, count / 4);
#endif
  const auto previous = signal(SIGABRT, &detail::tell_seed);
  for (std::uint64_t seed = first; seed <= count && !testing::Test::HasFailure(); ++seed) {
    detail::running_seed = seed;
    SCOPED_TRACE("SIMULATION_SEED=" + std::to_string(seed));
    body(seed);
  }
  signal(SIGABRT, previous);
}
