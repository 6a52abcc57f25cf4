#include "tools/load/storm.hh"

#include "tools/load/units.hh"

namespace load {
namespace {

constexpr std::string_view kJitter = "full-jitter:";
constexpr std::chrono::seconds kReconnectMost{5};

std::expected<void, std::string> take(std::string_view name, std::string_view value,
                                      StormPlan& storm) {
  if (name == "at") {
    const auto at = parse_duration(value);
    if (!at) return std::unexpected(at.error());
    storm.at = *at;
  } else if (name == "drop") {
    const auto share = parse_share(value);
    if (!share) return std::unexpected(share.error());
    storm.share = *share;
  } else if (name == "reconnect") {
    const auto reconnect = parse_reconnect(value);
    if (!reconnect) return std::unexpected(reconnect.error());
    storm.reconnect = *reconnect;
  } else {
    return std::unexpected("not at=, drop= or reconnect=: " + std::string(name));
  }
  return {};
}

}  // namespace

std::expected<Reconnect, std::string> parse_reconnect(std::string_view text) {
  if (text == "at-once") return Reconnect{.on = true};
  if (text == "no") return Reconnect{};
  if (!text.starts_with(kJitter)) {
    return std::unexpected("not at-once, no, or full-jitter:5s: " + std::string(text));
  }
  const auto most = parse_duration(text.substr(kJitter.size()));
  if (!most) return std::unexpected(most.error());
  return Reconnect{.on = true, .most = *most};
}

std::expected<StormPlan, std::string> parse_storm(std::string_view text) {
  StormPlan storm{.reconnect = {.on = true, .most = kReconnectMost}};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      return std::unexpected("not NAME=VALUE: " + std::string(word));
    }
    const auto taken = take(word.substr(0, equals), word.substr(equals + 1), storm);
    if (!taken) return std::unexpected(taken.error());
  }
  if (storm.share <= 0) return std::unexpected("drop= is above 0");
  return storm;
}

}  // namespace load
