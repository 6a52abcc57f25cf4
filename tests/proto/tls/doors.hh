// Servers that ask their clients for certificates, and visits to them.
#pragma once

#include <memory>
#include <string>

#include "tests/proto/tls/authority.hh"
#include "tests/proto/tls/peers.hh"

namespace tls::test {

inline constexpr Version kVersions[] = {Version::k12, Version::k13};

inline const Authority& root() {
  static const Authority authority;
  return authority;
}
inline const Authority& stranger() {
  static const Authority authority("stranger");
  return authority;
}
inline const Authority& between() {
  static const Authority authority(root(), "between");
  return authority;
}
inline Pem behind(Pem pem, const std::string& certificates) {
  pem.chain += certificates;
  return pem;
}

struct Door {
  TicketKeys own_tickets;
  std::unique_ptr<ServerContexts> contexts;

  explicit Door(const ClientCheck& check, TicketKeys* tickets = nullptr,
                const Pem& pem = localhost())
      : contexts(ServerContexts::load({&pem, 1}, tickets != nullptr ? *tickets : own_tickets,
                                      nullptr, check.ca.empty() ? nullptr : &check)
                     .value()) {}
};

struct Visit : Pair {
  Visit(Door& door, Version version, const Pem& certificate, const Ticket& ticket = {},
        const std::string& ca = localhost().chain)
      : Pair({.ca = ca, .version_max = version, .certificate = certificate}, "localhost", ticket) {
    server.session = std::make_unique<Session>(*door.contexts);
  }
  // Whether the client was let in. A word each way, so that the client hears of a refusal.
  bool enter() {
    client.session->start(client.wire);
    run();
    client.seal("hello");
    server.seal("welcome");
    run();
    EXPECT_EQ(server.received, server.session->failed() ? "" : "hello");
    EXPECT_EQ(client.received, server.session->failed() ? "" : "welcome");
    EXPECT_EQ(client.session->failed(), server.session->failed());
    return !server.session->failed();
  }
};

}  // namespace tls::test
