// What only a session's handshake needs. Private to the session's own files.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "proto/tls/certificate_facts.hh"
#include "proto/tls/context.hh"
#include "proto/tls/plain_messages.hh"
#include "proto/tls/session.hh"
#include "proto/tls/wolf.hh"

namespace tls {

struct Session::Pending {
  // Server role: what the client is to send next. kCipherText: the library reads by itself.
  enum class Next : std::uint8_t { kHello, kHelloAgain, kMessage, kAlert, kCipherText };

  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

  // Client role: the name to verify.
  std::string verified_name;

  // Server role.
  std::shared_ptr<const Certificates> certificates;  // until one of them was chosen
  std::shared_ptr<const ServerContext> context;      // the chosen one
  // What the client has shown, and what says that it is not revoked; seconds since 1970.
  std::int64_t valid_until = kForever;
  std::unique_ptr<const CertificateFacts> facts;  // that it says, where they are told
  PlainMessages messages;
  std::string server_name;
  Version version = Version::k12;
  Next next = Next::kHello;
  std::uint16_t group = 0;  // to ask for, where the client has no share that we know
  bool again = false;       // it was asked for another hello
};

}  // namespace tls
