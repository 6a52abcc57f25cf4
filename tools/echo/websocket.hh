// What the WebSocket handlers share.
#pragma once

#include <string>

#include "tools/echo/exchange.hh"

namespace echo {

// The head that accepts the upgrade, with the first subprotocol that was offered. `accept` other
// than empty stands in for the right Sec-WebSocket-Accept.
std::string accept_head(const Exchange& exchange, std::string_view accept = {});

// Reads and echoes until either side ends it.
uring::Task<> echo_frames(Exchange& exchange);

// Reads until the client's close frame, which is answered unless we sent ours, or its end.
uring::Task<> discard_frames(Exchange& exchange, bool close_sent);

}  // namespace echo
