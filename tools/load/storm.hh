// Storms and reconnects as people write them: "at=30s drop=50% reconnect=full-jitter:5s";
// "at-once", "full-jitter:5s".
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "tools/load/plan.hh"

namespace load {

std::expected<Reconnect, std::string> parse_reconnect(std::string_view text);
// Without a share half of them are dropped; without a reconnect they come back within 5 s.
std::expected<StormPlan, std::string> parse_storm(std::string_view text);

}  // namespace load
