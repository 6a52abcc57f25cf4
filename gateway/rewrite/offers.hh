// What the two ends of a WebSocket offer each other in its handshake, on its way through: only what
// the route lets pass, and never an empty line, which some take for an error. And what the gateway
// answers a client itself.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/config/config.hh"
#include "proto/ws/handshake.hh"

namespace gateway {

// It refers to the configuration.
ws::OfferPolicy offer_policy(const config::WebSocket& websocket);

// What is answered to a client where the gateway compresses itself; nothing: none of its offers can
// be accepted, or the route has it otherwise. The lines of the offers are well-formed. Contexts are
// kept from one message to the next where the route wants it, and there is memory for it.
std::optional<ws::Deflate> agree_on_deflate(const config::WebSocket& websocket,
                                            std::span<const std::string_view> offers,
                                            bool may_keep_contexts);

// Whether a field has extensions or subprotocols, or resembles one that has: see
// equals_as_variable.
bool is_offer(std::string_view field_name);

// Appends a line with those of the value that pass, if there are any; and nothing where the name
// only resembles one. Precondition: is_offer(name); the value of extensions is well-formed.
void add_offers(std::string& head, std::string_view name, std::string_view value,
                const ws::OfferPolicy& policy);

// Appends the line by which a 101 agrees to it.
void add_agreement(std::string& head, const ws::Deflate& deflate);

}  // namespace gateway
