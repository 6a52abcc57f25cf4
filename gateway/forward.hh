// Heads as they are passed on: what is meant for one hop is left out, what the next one must know
// is set, everything else keeps its case and its order (RFC 9110 section 7.6).
#pragma once

#include <string>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/http/body.hh"
#include "proto/http/request.hh"
#include "proto/http/response.hh"

namespace gateway {

// What the gateway says of the client; what the client said of itself is not believed.
struct ForwardedFor {
  std::string_view client_address;  // without a port
  bool secure;
};

// Appends to `head` what the upstream gets. `buffer` holds what `request` was parsed from.
// `websocket`: the upgrade is asked for, too.
void forward_request(std::string& head, const http::RequestHead& request, proto::Bytes buffer,
                     const ForwardedFor& forwarded, bool websocket);

// Appends to `head` what the client gets, its body in `framing`.
void forward_response(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                      http::BodyFraming framing);

// A 1xx, which goes at once and ends nothing.
void forward_interim(std::string& head, const http::ResponseHead& response, proto::Bytes buffer);

// The 101 that opens a WebSocket.
void forward_switch(std::string& head, const http::ResponseHead& response, proto::Bytes buffer);

}  // namespace gateway
