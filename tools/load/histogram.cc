#include "tools/load/histogram.hh"

#include <algorithm>
#include <cmath>

namespace load {

std::uint64_t Histogram::begin_of(std::size_t bucket) {
  constexpr std::size_t kExact = std::size_t{1} << kDigitBits;
  if (bucket < kExact) return bucket;
  const std::size_t shift = (bucket >> (kDigitBits - 1)) - 1;
  return (bucket - (shift << (kDigitBits - 1))) << shift;
}

std::uint64_t Histogram::end_of(std::size_t bucket) { return begin_of(bucket + 1) - 1; }

void Histogram::add_page(std::size_t page) {
  if (pages_.empty()) pages_.resize(kPages);
  counts_.resize(counts_.size() + kPageSize);
  pages_[page] = static_cast<std::uint16_t>(counts_.size() >> kPageBits);
}

void Histogram::add_to_bucket(std::size_t bucket, std::uint64_t times) {
  if (times == 0) return;
  count_of(bucket) += times;
  count_ += times;
  min_ = std::min(min_, begin_of(bucket));
  max_ = std::max(max_, end_of(bucket));
}

void Histogram::set_extremes(Duration min, Duration max) {
  if (empty() || min.count() < 0 || max < min) return;
  const auto least = static_cast<std::uint64_t>(min.count());
  const auto most = static_cast<std::uint64_t>(max.count());
  if (bucket_of(least) == bucket_of(min_)) min_ = least;
  if (bucket_of(most) == bucket_of(max_)) max_ = most;
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t page = 0; page < other.pages_.size(); ++page) {
    if (other.pages_[page] == 0) continue;
    const std::size_t from = (other.pages_[page] - std::size_t{1}) << kPageBits;
    std::uint64_t* const to = &count_of(page << kPageBits);
    for (std::size_t i = 0; i < kPageSize; ++i) to[i] += other.counts_[from + i];
  }
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::in_bucket(std::size_t bucket) const {
  if (pages_.empty() || pages_[bucket >> kPageBits] == 0) return 0;
  const std::size_t page = pages_[bucket >> kPageBits] - std::size_t{1};
  return counts_[(page << kPageBits) + (bucket & (kPageSize - 1))];
}

Histogram::Duration Histogram::mean() const {
  if (empty()) return Duration(0);
  double sum = 0;
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    if (pages_[page] == 0) continue;
    for (std::size_t bucket = page * kPageSize; bucket < (page + 1) * kPageSize; ++bucket) {
      const double middle = static_cast<double>(begin_of(bucket) + end_of(bucket)) / 2;
      sum += middle * static_cast<double>(in_bucket(bucket));
    }
  }
  return Duration(std::llround(sum / static_cast<double>(count_)));
}

Histogram::Duration Histogram::quantile(double share) const {
  if (empty()) return Duration(0);
  // A hair less, since 0.07 * 100 is more than 7.
  const double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_);
  const double whole = std::ceil(std::nextafter(rank, 0.0));
  const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(whole), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    if (pages_[page] == 0) continue;
    for (std::size_t bucket = page * kPageSize; bucket < (page + 1) * kPageSize; ++bucket) {
      seen += in_bucket(bucket);
      if (seen < wanted) continue;
      return Duration(bucket == kBuckets - 1 ? max_ : std::min(end_of(bucket), max_));
    }
  }
  return max();
}

}  // namespace load
