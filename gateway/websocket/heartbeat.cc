#include "gateway/websocket/heartbeat.hh"

#include <algorithm>
#include <utility>

namespace gateway {

Heartbeat::Heartbeat(uring::Loop& loop) : loop_(loop) {
  loop.kernel().fill_random(ping_.payload);
}

Heartbeat::Answer Heartbeat::due(Time now, Time heard, std::uint64_t taken_bytes, bool has_unsent,
                                 const HeartbeatPolicy& policy) {
  if (awaits_ && heard > pinged_) awaits_ = false;
  if (awaits_) {
    // What came before the ping goes first, and a slow peer takes it in large pieces.
    if (!has_unsent) is_with_kernel_ = true;
    const auto taken = static_cast<std::uint32_t>(taken_bytes);
    if (!is_with_kernel_ && std::exchange(taken_bytes_, taken) != taken) {
      taking_since_ = now;
    }
    const Time late_at =
        taking_since_ +
        (is_with_kernel_ ? policy.pong_timeout : std::max(policy.pong_timeout, kTakingTime));
    if (!has_looked_ && now >= pinged_ + policy.pong_timeout) return {Due::kLook, now};
    if (now < late_at) {
      doubted_ = Time();
      return {Due::kNothing, std::min(late_at, now + policy.pong_timeout)};
    }
    if (doubted_ == Time()) return {Due::kLook, now};
    const Time dead_at = doubted_ + kLastLook;
    return {now >= dead_at ? Due::kDead : Due::kNothing, dead_at};
  }
  // Up to the half of it for the first one.
  const bool is_first = pinged_ == Time();
  const auto sooner = std::to_integer<int>(ping_.payload[0]) * policy.ping / 512;
  const Time ping_at = std::max(heard, pinged_) + policy.ping - (is_first ? sooner : sooner.zero());
  return {now >= ping_at ? Due::kPing : Due::kNothing, ping_at};
}

void Heartbeat::looked(Time now, std::uint64_t acknowledged_bytes, bool has_ping) {
  const bool is_first = !std::exchange(has_looked_, true);
  const auto more = static_cast<std::int64_t>(
      acknowledged_bytes - std::exchange(acknowledged_bytes_, acknowledged_bytes));
  const bool was_behind = std::exchange(is_behind_, !has_ping);
  if (is_first && is_behind_ && !is_with_kernel_) return;  // it has its time as it is
  // What it had acknowledged before the first look nobody knows; and behind the last byte before
  // the ping it has the time to answer that anyone has.
  const bool gets_on = is_behind_ ? is_first || more > 0 : was_behind;
  (gets_on ? taking_since_ : doubted_) = now;
}

ws::Bytes Heartbeat::begin(Time now, std::uint64_t taken_bytes, std::uint64_t written_bytes) {
  ping_.payload.back() =
      static_cast<std::byte>(std::to_integer<unsigned>(ping_.payload.back()) + 1);
  pinged_ = taking_since_ = now;
  taken_bytes_ = static_cast<std::uint32_t>(taken_bytes);
  written_before_ = written_bytes;
  doubted_ = Time();
  is_with_kernel_ = has_looked_ = is_behind_ = false;
  awaits_ = true;
  return ping_.payload;
}

bool Heartbeat::answered(std::uint8_t number, Time now) {
  if (number != std::to_integer<std::uint8_t>(ping_.payload.back())) return false;
  last_round_trip_ = std::chrono::duration_cast<Microseconds>(now - pinged_);
  worst_round_trip_ = std::max(worst_round_trip_, last_round_trip_);
  return true;
}

}  // namespace gateway
