#include "tests/simulation/tunnel_end.hh"

#include <fmt/format.h>

#include <algorithm>

namespace simulation {

TunnelEnd::Step TunnelEnd::next_step(Time now) const {
  if (half_closed_) return Step::kNothing;
  if (!has_said_all()) return now >= rests_until_ ? Step::kSays : Step::kNothing;
  using enum TunnelEnding;
  const auto is_mine = [&](TunnelEnding client, TunnelEnding server) {
    return part_.ending == (part_.is_client ? client : server);
  };
  if (is_mine(kClientResets, kServerResets)) return Step::kResets;
  if (is_mine(kClientCloses, kServerCloses)) return Step::kCloses;
  const bool ends = part_.ending == kBoth || is_mine(kClientFirst, kServerFirst) || own_.heard_end;
  return ends ? Step::kHalfCloses : Step::kNothing;
}

Time TunnelEnd::acts_at(Time now) const {
  if (is_through()) return now;
  if (!half_closed_ && !has_said_all()) return std::max(now, rests_until_);
  return next_step(now) == Step::kNothing ? Time::max() : now;
}

std::string TunnelEnd::say(Time now) {
  std::string bytes;
  append_payload(bytes, part_.says, own_.said, std::min(plan_.piece, plan_.bytes - own_.said));
  own_.said += bytes.size();
  own_.said_at = now;
  rests_until_ = now + plan_.rhythm;
  return bytes;
}

bool TunnelEnd::feed(std::string_view bytes) {
  const bool is_due = !own_.heard_end && own_.heard + bytes.size() <= other_.said &&
                      is_payload(part_.hears, own_.heard, bytes);
  own_.heard += bytes.size();
  return is_due;
}

std::string TunnelEnd::hear_end() {
  own_.heard_end = true;
  // Where the gateway gives up the request, its server may have switched for nobody.
  if (other_.breaks_off || (!part_.is_client && !other_.opened)) return "";
  if (!other_.told_end) return "is shown the end of a stream that has none";
  if (own_.heard == other_.said) return "";
  return fmt::format("is shown the end behind {} of {} bytes", own_.heard, other_.said);
}

}  // namespace simulation
