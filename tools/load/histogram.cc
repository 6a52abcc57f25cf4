#include "tools/load/histogram.hh"

#include <algorithm>
#include <bit>
#include <cmath>

namespace load {

// Values below 2^kStepBits have a bucket each; above, the bits behind the leading one choose.
std::size_t Histogram::index_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  if (width <= kStepBits) return value;
  const unsigned shift = width - 1 - kStepBits;
  return (std::size_t{shift + 1} << kStepBits) + ((value >> shift) & ((1u << kStepBits) - 1));
}

std::uint64_t Histogram::end_of(std::size_t index) {
  if (index < (1u << kStepBits)) return index;
  const std::size_t shift = (index >> kStepBits) - 1;
  const std::uint64_t step = (index & ((1u << kStepBits) - 1)) + (1u << kStepBits);
  return ((step + 1) << shift) - 1;
}

void Histogram::add(Duration duration) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  ++buckets_[index_of(value)];
  ++count_;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

Histogram::Duration Histogram::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t index = 0; index < buckets_.size(); ++index) {
    seen += buckets_[index];
    if (seen >= wanted && seen > 0) {
      return Duration(std::min(end_of(index), max_));
    }
  }
  return Duration(0);
}

}  // namespace load
