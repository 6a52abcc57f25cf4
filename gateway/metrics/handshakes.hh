// TLS handshakes as they are counted: what was agreed on, or why there was none, as the key of a
// tally and back. Names that the library might add are "other": a label is never a peer's to
// choose.
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/tls/session.hh"

namespace gateway {

struct HandshakeKind {
  bool resumed;
  std::string_view version;  // "TLSv1.3"
  std::string_view group;    // "X25519"; "none": no keys were exchanged
};

// Of a session whose handshake is done.
std::uint32_t key_of_handshake(const tls::Session& session);
HandshakeKind handshake_of_key(std::uint32_t key);

// `cause` is a number of the caller's. With the alert that was sent or came; `session` may be null.
std::uint32_t key_of_failure(std::uint8_t cause, const tls::Session* session);
struct HandshakeFailure {
  std::uint8_t cause;
  std::string_view alert;  // "unknown_ca"; "none": there was none
};
HandshakeFailure failure_of_key(std::uint32_t key);

}  // namespace gateway
