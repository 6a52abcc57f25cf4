#include "tools/common/pattern.hh"

#include <algorithm>
#include <array>

namespace tools {
namespace {

using Period = std::array<std::byte, kPatternPeriod>;

Period make_period() {
  Period period;
  for (std::size_t i = 0; i < period.size(); ++i) {
    period[i] = static_cast<std::byte>(std::uint64_t{i + 1} * 0x9E3779B97F4A7C15u >> 56);
  }
  return period;
}

}  // namespace

proto::Bytes pattern_at(std::uint64_t offset, std::size_t size_max) {
  static const Period period = make_period();
  const std::size_t begin = offset % kPatternPeriod;
  return proto::Bytes(period).subspan(begin, std::min(size_max, kPatternPeriod - begin));
}

}  // namespace tools
