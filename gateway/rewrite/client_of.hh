// Whose a request is that came through trusted proxies: what their X-Forwarded-For says of it or,
// where there is none, their Forwarded (RFC 7239). The hops are read from the nearest on: the first
// that is no trusted proxy is the client. What stands beyond it is the client's own word.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "gateway/config/config.hh"
#include "proto/bytes.hh"
#include "proto/http/field.hh"

namespace gateway {

// Of more hops than these the nearest ones are looked at.
inline constexpr std::size_t kHopsMax = 64;

// `peer` is who is connected, and trusted; nothing where it comes through a Unix socket. A hop that
// names no address ("unknown", "_hidden") ends the search: the one before it counts as the client.
std::optional<config::Octets> client_of(const http::Fields& fields, proto::Bytes buffer,
                                        const std::optional<config::Octets>& peer,
                                        const config::TrustedProxies& trusted);

// "192.0.2.7", "192.0.2.7:17085", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:443".
std::optional<config::Octets> address_of_hop(std::string_view hop);

}  // namespace gateway
