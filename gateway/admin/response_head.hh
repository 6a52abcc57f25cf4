// The heads of the admin listener's responses.
#pragma once

#include <string>
#include <string_view>

#include "gateway/admin/service.hh"

namespace gateway::admin {

struct Framing {
  bool keeps;   // another request may follow
  bool is_1_0;  // the client knows no chunks
};

// Appends it. What may be shown by pages is said there, too: nothing is, but by the listener's own.
void write_response_head(std::string& to, const Reply& reply, const Framing& framing);

// The answer to a WebSocket's handshake (RFC 6455 section 4.2.2) with that key.
std::string switch_head(std::string_view key, std::string_view subprotocol);

}  // namespace gateway::admin
