#include "gateway/websocket/allowance.hh"

#include <algorithm>

namespace gateway {
namespace {

constexpr std::array<std::string_view, 3> kTexts = {
    "more messages than messages_per_second allows",
    "more bytes than bytes_per_second allows",
    "more control frames than control_frames_per_second allows",
};

}  // namespace

Allowance::Time Allowance::take(Time now, const Use& used, const ClientRates& rates) {
  struct Kind {
    std::uint32_t count;
    std::uint64_t per_second;
  };
  const std::array<Kind, kTexts.size()> kinds = {{
      {used.messages - used_.messages, rates.messages},
      {used.bytes - used_.bytes, rates.bytes},
      {used.control_frames - used_.control_frames, rates.control_frames},
  }};
  used_ = used;
  Time goes_on = now;
  for (std::size_t at = 0; at < kinds.size(); ++at) {
    const auto& [count, per_second] = kinds[at];
    if (per_second == 0 || count == 0) continue;
    // 2^32 seconds are less than 2^63 ns.
    const auto worth = std::chrono::nanoseconds(std::chrono::seconds(1)) * count / per_second;
    Time& until = used_up_until_[at];
    until = std::max(until, now) + worth;
    if (until - rates.burst <= goes_on) continue;
    goes_on = until - rates.burst;
    passed_ = static_cast<std::uint8_t>(at);
  }
  return goes_on;
}

std::string_view Allowance::passed() const {
  return kTexts[passed_];
}

}  // namespace gateway
