#include "gateway/websocket/heartbeat.hh"

#include <algorithm>
#include <utility>

namespace gateway {

Heartbeat::Heartbeat(uring::Kernel& kernel) {
  kernel.fill_random(ping_.payload);
}

Heartbeat::Due Heartbeat::due(Time now, Time heard, std::uint64_t taken_bytes,
                              const HeartbeatPolicy& policy) {
  if (awaits_ && heard > pinged_) awaits_ = doubts_ = false;
  if (awaits_) {
    if (std::exchange(taken_bytes_, taken_bytes) != taken_bytes) taking_since_ = now;
    next_ = taking_since_ + policy.pong_timeout;
    const bool is_late = now >= next_;
    if (std::exchange(doubts_, is_late) && is_late) return Due::kDead;
    if (is_late) next_ = now + kLastLook;
    return Due::kNothing;
  }
  // Up to the half of it for the first one.
  const bool is_first = pinged_ == Time();
  const auto sooner = std::to_integer<int>(ping_.payload[0]) * policy.ping / 512;
  next_ = std::max(heard, pinged_) + policy.ping - (is_first ? sooner : sooner.zero());
  return now >= next_ ? Due::kPing : Due::kNothing;
}

ws::Bytes Heartbeat::begin(Time now, std::uint64_t taken_bytes) {
  ping_.payload.back() =
      static_cast<std::byte>(std::to_integer<unsigned>(ping_.payload.back()) + 1);
  pinged_ = taking_since_ = now;
  taken_bytes_ = taken_bytes;
  awaits_ = true;
  return ping_.payload;
}

void Heartbeat::answered(std::uint8_t number, Time now) {
  if (number != std::to_integer<std::uint8_t>(ping_.payload.back())) return;
  last_round_trip_ = std::chrono::duration_cast<std::chrono::microseconds>(now - pinged_);
  worst_round_trip_ = std::max(worst_round_trip_, last_round_trip_);
}

}  // namespace gateway
