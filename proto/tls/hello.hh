// A ClientHello, judged before there is a session for it: what in it decides how it is answered,
// and why it is refused where the RFCs ask for that and the library would not do it, or not with
// the alert that they name.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/tls/alert.hh"
#include "proto/tls/context.hh"

namespace tls {

// Its views are into the message.
struct ClientHello {
  Version version = Version::k12;  // the newest that both sides know
  std::string_view server_name;    // RFC 6066 section 3, as it was sent; empty where there is none
  proto::Bytes protocols;          // ALPN (RFC 7301): names, each behind its length
  // TLS 1.3:
  bool takes_tickets = false;    // with a fresh key exchange (psk_dhe_ke)
  std::uint16_t best_group = 0;  // of ours that are offered; 0 where a ticket alone is to do
  std::uint16_t only_share = 0;  // whose group; 0 where there are several, or none

  bool offers(std::string_view protocol) const;
};

// `message` is a whole ClientHello with its header; `groups` are ours (RFC 8446 section 4.2.7).
std::expected<ClientHello, Refusal> judge_hello(proto::Bytes message,
                                                std::span<const std::uint16_t> groups);

// Whether the first bytes of a client, in their records, are a ClientHello that would resume a
// session: with a ticket (RFC 8446 section 4.2.11, RFC 5077). Whether it can is not known by that.
// False where it is not whole.
bool wants_to_resume(proto::Bytes records);

// For the log, of a hello that may be none; empty where it has no name.
std::string_view server_name_in(proto::Bytes message);

}  // namespace tls
