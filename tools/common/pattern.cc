#include "tools/common/pattern.hh"

#include <algorithm>
#include <array>

namespace tools {
namespace {

using Period = std::array<std::byte, kPatternPeriod>;

Period make_period(bool text) {
  Period period;
  for (std::size_t i = 0; i < period.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(std::uint64_t{i + 1} * 0x9E3779B97F4A7C15u >> 56);
    period[i] = static_cast<std::byte>(text ? ' ' + byte % 64 : byte);
  }
  return period;
}

}  // namespace

proto::Bytes pattern_at(std::uint64_t offset, std::size_t size_max, bool text) {
  static const Period kBinary = make_period(false);
  static const Period kText = make_period(true);
  const std::size_t begin = offset % kPatternPeriod;
  return proto::Bytes(text ? kText : kBinary)
      .subspan(begin, std::min(size_max, kPatternPeriod - begin));
}

}  // namespace tools
