// [route.websocket] and [defaults.websocket]: what becomes of WebSockets.
#include <fmt/format.h>

#include "gateway/config/sections.hh"
#include "gateway/config/units.hh"
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

// Of each the other one may be a default.
void check_maxima(const TableReader& table, const WebSocket& websocket) {
  const std::uint64_t frame = websocket.frame_bytes_max;
  const std::uint64_t message = websocket.message_bytes_max;
  const std::string_view here = table.has("message_max") ? "message_max" : "frame_max";
  if (frame == 0 || message == 0 || frame <= message || !table.has(here)) return;
  table.report().add(table.place(here),
                     fmt::format("'message_max', which is {}, must not be below 'frame_max', which "
                                 "is {}: no frame is larger than its message",
                                 print_size(message), print_size(frame)));
}

}  // namespace

void read_websocket(TableReader& table, WebSocket& websocket) {
  read_upstream_lost(table, websocket.upstream_lost_code);
  if (const auto validation = table.choice("validate", kValidationNames)) {
    websocket.validation = static_cast<ws::Validation>(*validation);
  }
  table.size_or_off("frame_max", ws::kBytesMaxMax, websocket.frame_bytes_max);
  table.size_or_off("message_max", ws::kBytesMaxMax, websocket.message_bytes_max);
  check_maxima(table, websocket);
}

}  // namespace gateway::config
