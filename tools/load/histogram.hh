// Durations, counted in the buckets that HdrHistogram has for three decimal digits from 1 ns on:
// one nanosecond wide up to 2,047 ns, above that at most 1/1024 (0.1 %) of their value, up to 73
// minutes; what is longer counts in the last one. Pages of 64 buckets are allocated when a value
// first falls into them: an empty histogram owns no memory, the fullest one 265 KiB, the usual one
// 20 to 50 KiB.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  static constexpr std::size_t kBuckets = 33 * 1024;

  // A negative one counts as none. A few nanoseconds.
  void add(Duration duration) {
    const auto value = static_cast<std::uint64_t>(duration.count() < 0 ? 0 : duration.count());
    ++count_of(bucket_of(value));
    ++count_;
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
  }
  void merge(const Histogram& other);
  // `times` values somewhere in that bucket: for what was written down by buckets.
  void add_to_bucket(std::size_t bucket, std::uint64_t times);
  // What was written down beside the buckets. Ignored unless they are in the outermost ones.
  void set_extremes(Duration min, Duration max);

  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }
  // All of these are 0 where nothing was added; min() and max() are exact.
  Duration min() const { return Duration(empty() ? 0 : min_); }
  Duration max() const { return Duration(max_); }
  Duration mean() const;  // every value counts as the middle of its bucket
  // What a share of all durations (0 to 1) does not exceed: the end of its bucket, at most max().
  Duration quantile(double share) const;

  std::uint64_t in_bucket(std::size_t bucket) const;
  // That it has allocated.
  std::size_t bytes() const {
    return counts_.size() * sizeof counts_[0] + pages_.size() * sizeof pages_[0];
  }
  // Values that a bucket begins and ends with.
  static std::uint64_t begin_of(std::size_t bucket);
  static std::uint64_t end_of(std::size_t bucket);

 private:
  static constexpr unsigned kDigitBits = 11;  // 2,048 values that are told apart exactly
  static constexpr unsigned kPageBits = 6;
  static constexpr std::size_t kPageSize = std::size_t{1} << kPageBits;
  static constexpr std::size_t kPages = kBuckets / kPageSize;

  static std::size_t bucket_of(std::uint64_t value) {
    const auto shift =
        static_cast<unsigned>(std::bit_width(value | ((1u << kDigitBits) - 1))) - kDigitBits;
    const std::size_t bucket = (std::size_t{shift} << (kDigitBits - 1)) + (value >> shift);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }

  std::uint64_t& count_of(std::size_t bucket) {
    if (pages_.empty() || pages_[bucket >> kPageBits] == 0) add_page(bucket >> kPageBits);
    const std::size_t page = pages_[bucket >> kPageBits] - std::size_t{1};
    return counts_[(page << kPageBits) + (bucket & (kPageSize - 1))];
  }

  void add_page(std::size_t page);

  std::vector<std::uint16_t> pages_;   // where in counts_ each page is, from 1 on; 0: nowhere
  std::vector<std::uint64_t> counts_;  // page after page, as they were first needed
  std::uint64_t count_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
};

}  // namespace load
