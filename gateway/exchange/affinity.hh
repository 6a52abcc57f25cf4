// What a request's head says of the server that it is for: the cookie of a sticky pool, and what is
// hashed. Every byte of it is the client's; what names no server, or is not there, leaves the
// choice to the balance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/config.hh"
#include "gateway/upstream/upstream_pool.hh"
#include "proto/bytes.hh"
#include "proto/http/request.hh"

namespace gateway {

// Who has sent it.
struct Sender {
  std::optional<config::Octets> address;  // of who is connected; nothing of a Unix socket's peer
  bool trusted;                           // a proxy that is believed
  const config::TrustedProxies& proxies;
};

// `target` in origin-form, as the server gets it but for strip_prefix.
ServerWish wish_of(const UpstreamPool& pool, const http::RequestHead& head, proto::Bytes buffer,
                   std::string_view target, const Sender& sender);

// Whether the client speaks TLS to whoever it is connected to; `secure`: our peer does.
bool is_secure_for_client(const http::RequestHead& head, proto::Bytes buffer, bool secure,
                          bool peer_trusted);

// What Set-Cookie says of it. `secure`: see above.
std::string sticky_cookie(const config::Sticky& sticky, std::string_view token, bool secure);

}  // namespace gateway
