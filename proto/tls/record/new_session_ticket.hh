// A server's ticket for a later connection (RFC 8446 section 4.6.1), as its message says it.
#pragma once

#include <cstdint>
#include <optional>

#include "proto/bytes.hh"

namespace tls::record {

struct NewSessionTicket {
  std::uint32_t lifetime_s;
  std::uint32_t age_add;
  proto::Bytes nonce;
  proto::Bytes ticket;
};

// `body`: without the message's header; the result points into it. Nothing: it is malformed.
std::optional<NewSessionTicket> read_ticket(proto::Bytes body);

}  // namespace tls::record
