// What a run has counted. Clients add to it, the report reads it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tools/load/histogram.hh"

namespace load {

struct Tally {
  static constexpr std::size_t kKindsMax = 32;

  std::size_t opened = 0;
  std::size_t failed = 0;  // to open
  std::map<std::string, std::uint64_t> errors;

  // In the measured window only.
  bool measuring = false;
  std::uint64_t messages = 0;
  Histogram latency;
  std::chrono::nanoseconds window{0};
  std::optional<std::chrono::nanoseconds> cpu;

  // Kinds beyond the bound are counted together.
  void add_error(const std::string& kind) {
    const bool known = errors.contains(kind) || errors.size() < kKindsMax;
    ++errors[known ? kind : "other"];
  }
};

}  // namespace load
