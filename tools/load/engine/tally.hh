// What a shard has counted in one interval. Its connections add to it; at the end of the interval,
// or of a phase, it goes to the coordinator as a whole, and the shard begins another one. So
// nothing is shared while it is written, and nobody stops for a sum.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/result.hh"

namespace load {

// What one shard knows of a storm, since it last said.
struct StormPart {
  bool begun = false;
  std::uint64_t dropped = 0;
  std::uint64_t reopened = 0;        // of these, or who has come in their place
  std::chrono::nanoseconds last{0};  // of these opened then, since the run began
};

struct Tally {
  static constexpr std::size_t kErrorKindsMax = 32;
  static constexpr std::size_t kExampleBytesMax = 300;
  static constexpr std::size_t kStatuses = 1000;

  Counts counts;
  std::array<Histogram, kTimings> timings;
  std::map<std::string, ErrorKind, std::less<>> errors;
  std::map<std::uint16_t, std::uint64_t> closes_by_peer;
  std::map<std::uint16_t, std::uint64_t> closes_by_us;
  std::array<std::uint64_t, kStatuses> statuses{};
  std::uint64_t error_count = 0;
  std::map<int, std::uint64_t> lacks;  // connections that our own machine had not enough for: errno
  Unsent unsent;
  std::vector<StormPart> storms;  // by number
  std::map<BadKind, BadCitizens> bad;

  std::size_t phase = 0;
  std::chrono::nanoseconds begin{0};  // since the run began
  std::chrono::nanoseconds length{0};
  std::chrono::nanoseconds cpu{0};   // of the shard's thread
  std::chrono::nanoseconds wait{0};  // it was ready, and had no core
  std::uint64_t open = 0;            // connections, at the end
  std::uint64_t open_max = 0;

  Histogram& timing(Timing timing) { return timings[static_cast<std::size_t>(timing)]; }

  StormPart& storm(std::size_t number) {
    if (storms.size() <= number) storms.resize(number + 1);
    return storms[number];
  }

  // Kinds beyond the bound are counted together. Of each the first example is kept.
  void add_error(std::string_view kind, std::string_view example) {
    auto place = errors.find(kind);
    if (place == errors.end()) {
      const bool has_room = errors.size() < kErrorKindsMax;
      place = errors.try_emplace(std::string(has_room ? kind : "other")).first;
    }
    ErrorKind& of_kind = place->second;
    if (of_kind.count++ == 0) of_kind.example = example.substr(0, kExampleBytesMax);
    ++error_count;
  }
};

}  // namespace load
