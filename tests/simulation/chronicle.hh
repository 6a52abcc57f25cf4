// What happened in a run, for who reads it after a failure, and what was wrong with it. Without
// somebody who reads it nothing is formatted.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "tests/uring/simulated_system.hh"

namespace simulation {

class Chronicle {
 public:
  // `to`: where it is told; null: nowhere, but for what is wrong.
  Chronicle(const SimulatedSystem& system, std::FILE* to) : system_(system), to_(to) {}

  template <class... Args>
  void note(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    if (to_ != nullptr) line(who, fmt::format(format, std::forward<Args>(args)...));
  }

  // Something that must not be. The run goes on for a while, and has failed.
  template <class... Args>
  void fail(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    line(who, "WRONG: " + fmt::format(format, std::forward<Args>(args)...));
    ++failures_;
  }
  unsigned failures() const { return failures_; }

 private:
  void line(std::string_view who, const std::string& text) {
    const std::chrono::duration<double, std::milli> since = system_.now - start_;
    const std::string told = fmt::format("{:10.3f} {:<10} {}\n", since.count(), who, text);
    std::fputs(told.c_str(), to_ != nullptr ? to_ : stdout);
  }

  const SimulatedSystem& system_;
  const uring::Clock::time_point start_ = system_.now;
  std::FILE* to_;
  unsigned failures_ = 0;
};

}  // namespace simulation
