// [route.websocket] and [defaults.websocket]: what becomes of WebSockets.
#include <fmt/format.h>

#include "gateway/config/sections.hh"
#include "proto/ws/close.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kCloseCodes =
    "a close code for clients, 1000, 1001, 1011, 1012, 1013 or 3000 to 4999, or \"cut\"";

// RFC 6455 section 7.4: of those that may be sent, what is true of a server that has gone. Some
// clients take 1014 for an error of the protocol.
bool may_tell_of_loss(std::int64_t code) {
  const bool standard = code == ws::kCloseNormal || code == ws::kCloseGoingAway ||
                        (code >= ws::kCloseInternalError && code <= ws::kCloseTryAgainLater);
  return standard || (code >= 3000 && code <= 4999);
}

void read_upstream_lost(TableReader& table, std::uint16_t& code) {
  const toml::node* const node = table.take("upstream_lost");
  if (node == nullptr) return;
  if (const auto* const number = node->as_integer()) {
    if (may_tell_of_loss(number->get())) {
      code = static_cast<std::uint16_t>(number->get());
    } else {
      table.report().add(place_of(node->source()), fmt::format("'upstream_lost' must be {}, not {}",
                                                               kCloseCodes, number->get()));
    }
  } else if (node->value<std::string_view>() == "cut") {
    code = 0;
  } else {
    table.wrong_type(*node, "upstream_lost", kCloseCodes);
  }
}

}  // namespace

void read_websocket(TableReader& table, WebSocket& websocket) {
  read_upstream_lost(table, websocket.upstream_lost_code);
}

}  // namespace gateway::config
