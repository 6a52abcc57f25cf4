// Durations, counted in buckets that are at most 1.6 % wide: fixed memory, whatever is measured.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace load {

class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  void add(Duration duration);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  Duration max() const { return Duration(max_); }
  // What a share of all durations (0 to 1) does not exceed: the end of its bucket, at most max().
  Duration quantile(double share) const;

 private:
  static constexpr unsigned kStepBits = 6;  // buckets in each power of two

  static std::size_t index_of(std::uint64_t value);
  static std::uint64_t end_of(std::size_t index);

  std::array<std::uint64_t, std::size_t{64 - kStepBits + 1} << kStepBits> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace load
