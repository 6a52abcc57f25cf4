// How often something took how long: so many counts, by the bounds between them, and the sum. One
// thread counts, any may read. To observe is a search over a handful of bounds and two additions.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "uring/count.hh"

namespace gateway {

// What several of the same bounds have counted together. `below[i]`: at most bounds[i], and more
// than the bound before it; the last one: more than all bounds.
template <std::size_t kBounds>
struct HistogramTotals {
  std::array<std::uint64_t, kBounds + 1> below{};
  double sum = 0;

  std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const std::uint64_t one : below) all += one;
    return all;
  }
};

// `kSeconds`: the bounds, each greater than the one before.
template <const auto& kSeconds>
class TimeHistogram {
 public:
  static constexpr std::size_t kBounds = kSeconds.size();
  using Totals = HistogramTotals<kBounds>;
  static std::span<const double> bounds() { return kSeconds; }

  // On the writer's thread. Clocks that went back took no time.
  void observe(std::chrono::nanoseconds took) {
    const auto length = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
    const auto bound = std::ranges::lower_bound(kNanoseconds, length);
    below_[static_cast<std::size_t>(bound - kNanoseconds.begin())].add();
    sum_ns_.add(length);
  }

  // On any thread.
  void add_to(Totals& totals) const {
    for (std::size_t index = 0; index < below_.size(); ++index) {
      totals.below[index] += below_[index].value();
    }
    totals.sum += static_cast<double>(sum_ns_.value()) / 1e9;
  }

 private:
  static constexpr auto kNanoseconds = [] {
    std::array<std::uint64_t, kBounds> bounds{};
    for (std::size_t index = 0; index < kBounds; ++index) {
      bounds[index] = static_cast<std::uint64_t>(kSeconds[index] * 1e9 + 0.5);
    }
    return bounds;
  }();

  std::array<uring::Count, kBounds + 1> below_;
  uring::Count sum_ns_;
};

// Of handshakes, requests and the like.
inline constexpr std::array kDurationBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                               0.05,   0.1,   0.25,   0.5,   1.0,  2.5,
                                               5.0,    10.0,  30.0,   60.0};
using Durations = TimeHistogram<kDurationBounds>;
// Of WebSockets: from a second to a week.
inline constexpr std::array kLifetimeBounds = {1.0,    10.0,    60.0,    300.0,   900.0,
                                               3600.0, 14400.0, 43200.0, 86400.0, 604800.0};
using Lifetimes = TimeHistogram<kLifetimeBounds>;

}  // namespace gateway
