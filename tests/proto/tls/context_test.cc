// What loads and what does not, and what contexts share: tickets, groups, protocols, names.
#include "proto/tls/context.hh"

#include <malloc.h>

#include "proto/tls/library.hh"
#include "proto/tls/record_buffers.hh"
#include "tests/proto/tls/peers.hh"

namespace tls::test {
namespace {

using Status = Progress::Status;

TEST(TlsContext, NamesWhatIsWrongWithACertificate) {
  const Pem& good = localhost();
  const Pem other = make_self_signed().value();
  const std::string cut = good.chain.substr(0, good.chain.size() / 2);
  std::string spoilt = good.chain;
  spoilt.replace(40, 20, "AAAAAAAAAAAAAAAAAAAA");
  std::string legacy = good.key;
  legacy.insert(legacy.find('\n') + 1, "Proc-Type: 4,ENCRYPTED\n\n");
  const std::string pkcs8 =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  const struct {
    const char* name;
    Pem pem;
    const char* expected;
  } cases[] = {
      {"empty", {"", ""}, "not a certificate"},
      {"key instead of certificate", {good.key, good.key}, "not a certificate"},
      {"cut off", {cut, good.key}, "not a certificate"},
      {"spoilt", {spoilt, good.key}, "cannot be read"},
      {"no key", {good.chain, ""}, "not a private key"},
      {"certificate instead of key", {good.chain, good.chain}, "not a private key"},
      {"other key", {good.chain, other.key}, "does not match"},
      {"encrypted", {good.chain, pkcs8}, "encrypted"},
      {"encrypted, old form", {good.chain, legacy}, "encrypted"},
  };
  TicketKeys tickets;
  for (const auto& each : cases) {
    const auto loaded = ServerContexts::load({&each.pem, 1}, tickets);
    ASSERT_FALSE(loaded) << each.name;
    EXPECT_NE(loaded.error().find(each.expected), std::string::npos)
        << each.name << ": " << loaded.error();
  }
}

TEST(TlsContext, TakesChainAndKeyFromOneText) {
  const Pem both = {localhost().key + localhost().chain,
                    "# notes\n" + localhost().chain + localhost().key};
  TicketKeys tickets;
  const auto loaded = ServerContexts::load({&both, 1}, tickets);
  ASSERT_TRUE(loaded) << loaded.error();
}

TEST(TlsContext, SaysWhichOfSeveralIsWrong) {
  const Pem two[] = {localhost(), {localhost().chain, "nothing"}};
  TicketKeys tickets;
  const auto loaded = ServerContexts::load(two, tickets);
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().starts_with("certificate 2: ")) << loaded.error();
}

TEST(TlsContext, ServesAnExpiredCertificate) {
  const Pem old = make_self_signed(std::chrono::days(-1)).value();
  TicketKeys tickets;
  const auto loaded = ServerContexts::load({&old, 1}, tickets);
  EXPECT_TRUE(loaded) << loaded.error();
}

TEST(TlsContext, RefusesAnAuthorityThatIsNone) {
  const auto loaded = ClientContext::load({.ca = "nothing"});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().find("no authority"), std::string::npos);
  EXPECT_FALSE(ClientContext::load({.verify = false, .groups = {"X42"}}));
  EXPECT_FALSE(ClientContext::load({.verify = false, .suites = "NOTHING"}));
}

TEST(TlsContext, OutlivesNoSession) {
  Pair pair;
  pair.contexts.reset();
  pair.context.reset();
  pair.shake_hands();
  pair.client.seal("still here");
  pair.run();
  EXPECT_EQ(pair.server.received, "still here");
}

// --- What the peers agree on.

TEST(TlsContext, AgreesOnEachGroup) {
  std::vector<std::string> groups = {"X25519", "P-256", "P-384", "P-521"};
  if (lacks().empty()) groups.push_back("X25519MLKEM768");
  for (const std::string& group : groups) {
    for (const Version version : {Version::k12, Version::k13}) {
      if (version == Version::k12 && group == "X25519MLKEM768") continue;
      Pair pair({.ca = localhost().chain, .version_max = version, .groups = {group}});
      pair.shake_hands();
      const std::string name(pair.server.session->group());
      EXPECT_EQ(name, group.starts_with("P-") ? "SECP" + group.substr(2) + "R1" : group);
    }
  }
  Pair best;
  best.shake_hands();
  EXPECT_EQ(best.server.session->group(), groups.back() == "P-521" ? "X25519" : groups.back());
}

TEST(TlsContext, AgreesOnEachSuite) {
  const struct {
    Version version;
    const char* suite;
  } cases[] = {
      {Version::k13, "TLS13-AES128-GCM-SHA256"},
      {Version::k13, "TLS13-AES256-GCM-SHA384"},
      {Version::k13, "TLS13-CHACHA20-POLY1305-SHA256"},
      {Version::k12, "ECDHE-ECDSA-AES128-GCM-SHA256"},
      {Version::k12, "ECDHE-ECDSA-AES256-GCM-SHA384"},
      {Version::k12, "ECDHE-ECDSA-CHACHA20-POLY1305"},
  };
  for (const auto& each : cases) {
    Pair pair({.ca = localhost().chain, .version_max = each.version, .suites = each.suite});
    pair.shake_hands();
    const std::string text(1000, 's');
    pair.client.seal(text);
    EXPECT_LE(pair.client.wire.bytes.size(), Session::sealed_size_max(text.size()));
    pair.run();
    EXPECT_EQ(pair.server.received, text) << each.suite;
  }
}

TEST(TlsContext, RefusesWithoutASharedSuite) {
  // The server's certificate is ECDSA, the client takes RSA only.
  Pair pair({.ca = localhost().chain,
             .version_max = Version::k12,
             .suites = "ECDHE-RSA-AES128-GCM-SHA256"});
  pair.client.session->start(pair.client.wire);
  pair.run();
  EXPECT_EQ(pair.server.session->error().reason, "no shared cipher suite");
  // Before 5.9 the library sends no alert here.
  if (pair.server.session->error().alert == Error::Alert::kNone) return;
  EXPECT_EQ(pair.client.session->error().text(),
            "the server gave up: handshake_failure alert received");
}

TEST(TlsContext, AgreesOnAProtocol) {
  const struct {
    std::vector<std::string> offered;
    const char* agreed;
  } cases[] = {{{"http/1.1"}, "http/1.1"}, {{"h2", "http/1.1"}, "http/1.1"}, {{}, ""}};
  for (const auto& each : cases) {
    for (const Version version : {Version::k12, Version::k13}) {
      Pair pair({.ca = localhost().chain, .protocols = each.offered, .version_max = version});
      pair.shake_hands();
      EXPECT_EQ(pair.server.session->protocol(), each.agreed);
      EXPECT_EQ(pair.client.session->protocol(), each.agreed);
    }
  }
}

TEST(TlsContext, RefusesWithoutASharedProtocol) {
  for (const Version version : {Version::k12, Version::k13}) {
    Pair pair({.ca = localhost().chain, .protocols = {"h2"}, .version_max = version});
    pair.client.session->start(pair.client.wire);
    pair.run();
    EXPECT_EQ(pair.server.session->error().text(),
              "no shared application protocol (ALPN) (no_application_protocol alert sent)");
    EXPECT_EQ(pair.client.session->error().text(),
              "the server gave up: no_application_protocol alert received");
  }
}

// --- Verification.

TEST(TlsContext, VerifiesNameAndAuthority) {
  const Pem stranger = make_self_signed().value();
  const struct {
    const char* name;
    const std::string& ca;
    bool verify;
    const char* expected;  // empty: accepted
  } cases[] = {
      {"localhost", localhost().chain, true, ""},
      {"LOCALHOST", localhost().chain, true, ""},
      {"127.0.0.1", localhost().chain, true, ""},
      {"::1", localhost().chain, true, ""},
      {"0:0:0:0:0:0:0:1", localhost().chain, true, ""},
      {"example.com", localhost().chain, true, "certificate is not for this name"},
      {"127.0.0.2", localhost().chain, true, "certificate is not for this name"},
      {"::2", localhost().chain, true, "certificate is not for this name"},
      {"", localhost().chain, true, "certificate is not for this name"},
      {"localhost", stranger.chain, true, "certificate of an unknown authority"},
      {"example.com", stranger.chain, false, ""},
  };
  for (const auto& each : cases) {
    for (const Version version : {Version::k12, Version::k13}) {
      Pair pair({.verify = each.verify, .ca = each.ca, .version_max = version}, each.name);
      pair.client.session->start(pair.client.wire);
      pair.run();
      EXPECT_EQ(pair.client.session->error().reason, each.expected) << each.name;
      EXPECT_EQ(pair.client.session->failed(), *each.expected != '\0') << each.name;
      EXPECT_EQ(pair.server.session->failed(), *each.expected != '\0') << each.name;
    }
  }
}

// --- Tickets.

struct Twice {
  std::unique_ptr<ServerContexts> contexts;
  std::unique_ptr<ClientContext> context;

  explicit Twice(TicketKeys& tickets, Version version)
      : contexts(ServerContexts::load({&localhost(), 1}, tickets).value()),
        context(ClientContext::load({.ca = localhost().chain, .version_max = version}).value()) {}

  // Whether the server resumed; leaves the newest ticket.
  bool visit(Ticket& ticket) {
    Pair pair;
    pair.server.session = std::make_unique<Session>(*contexts);
    pair.client.session = std::make_unique<Session>(*context, "localhost", ticket);
    pair.shake_hands();
    pair.server.seal("hello");
    pair.run();
    EXPECT_EQ(pair.client.received, "hello");
    EXPECT_EQ(pair.client.session->resumed(), pair.server.session->resumed());
    ticket = pair.client.session->ticket();
    EXPECT_EQ(static_cast<bool>(ticket), lacks().empty());
    return pair.server.session->resumed();
  }
};

TEST(TlsTickets, ResumeOnAnotherShardAndAcrossOneRotation) {
  if (!lacks().empty()) GTEST_SKIP() << library_version() << " resumes in the server role only";
  for (const Version version : {Version::k12, Version::k13}) {
    TicketKeys tickets;
    Twice first(tickets, version);
    Twice second(tickets, version);
    Ticket ticket;
    EXPECT_FALSE(first.visit(ticket));
    const Ticket early = ticket;
    EXPECT_TRUE(second.visit(ticket));
    EXPECT_TRUE(second.visit(ticket)) << "the ticket of a resumed session";
    tickets.rotate();
    EXPECT_TRUE(first.visit(ticket)) << "under the key before";
    EXPECT_TRUE(first.visit(ticket));
    tickets.rotate();
    tickets.rotate();
    EXPECT_FALSE(first.visit(ticket)) << "the key is gone";
    ticket = early;
    EXPECT_FALSE(first.visit(ticket));
  }
}

// With the ticket that it came with, a server would see a binder by another secret, and refuse it.
TEST(TlsTickets, BelongToTheConnectionThatTheyCameOn) {
  if (!lacks().empty()) GTEST_SKIP() << library_version() << " resumes in the server role only";
  for (const Version version : {Version::k12, Version::k13}) {
    TicketKeys tickets;
    Twice peers(tickets, version);
    Ticket ticket;
    peers.visit(ticket);
    ASSERT_TRUE(ticket);

    Pair pair;
    pair.server.session = std::make_unique<Session>(*peers.contexts);
    pair.client.session = std::make_unique<Session>(*peers.context, "localhost", ticket);
    pair.client.session->start(pair.client.wire);
    while (!pair.client.session->handshake_done()) {
      pair.deliver(pair.client, pair.server);
      pair.deliver(pair.server, pair.client);
    }
    ASSERT_TRUE(pair.client.session->resumed());
    ticket = pair.client.session->ticket();
    if (version == Version::k13) {
      EXPECT_FALSE(ticket) << "its own is still under way";
      pair.run();
      ticket = pair.client.session->ticket();
    }
    EXPECT_TRUE(peers.visit(ticket));
  }
}

// The library counts on in one byte, from each ticket to the next.
TEST(TlsTickets, ResumeAsOftenAsOneLikes) {
  if (!lacks().empty()) GTEST_SKIP() << library_version() << " resumes in the server role only";
  for (const Version version : {Version::k12, Version::k13}) {
    TicketKeys tickets;
    Twice peers(tickets, version);
    Ticket ticket;
    int resumed = 0;
    for (int i = 0; i < 600 && !testing::Test::HasFailure(); ++i) {
      if (peers.visit(ticket)) ++resumed;
    }
    EXPECT_GE(resumed, 595);
  }
}

TEST(TlsTickets, OfOtherKeysLeadToAFullHandshake) {
  for (const Version version : {Version::k12, Version::k13}) {
    TicketKeys tickets;
    TicketKeys others;
    Twice first(tickets, version);
    Twice second(others, version);
    Ticket ticket;
    EXPECT_FALSE(first.visit(ticket));
    EXPECT_FALSE(second.visit(ticket));
  }
}

TEST(TlsTickets, ExpireWithTheirKeys) {
  TicketKeys tickets(std::chrono::seconds(0));
  std::uint8_t name[16];
  std::uint8_t nonce[16] = {};
  std::uint8_t tag[32] = {};
  std::uint8_t ticket[48] = {1, 2, 3};
  ASSERT_TRUE(tickets.seal(name, nonce, tag, ticket));
  EXPECT_FALSE(tickets.open(name, nonce, tag, ticket));
}

TEST(TlsTickets, AreOpenedOnlyWhenUntouched) {
  TicketKeys tickets;
  std::uint8_t name[16];
  std::uint8_t nonce[16] = {};
  std::uint8_t tag[32] = {};
  std::uint8_t ticket[48] = {1, 2, 3};
  ASSERT_TRUE(tickets.seal(name, nonce, tag, ticket));
  EXPECT_NE(ticket[0], 1);
  ticket[7] ^= 1;
  EXPECT_FALSE(tickets.open(name, nonce, tag, ticket));
  ticket[7] ^= 1;
  tag[0] ^= 1;
  EXPECT_FALSE(tickets.open(name, nonce, tag, ticket));
  tag[0] ^= 1;
  ASSERT_TRUE(tickets.open(name, nonce, tag, ticket));
  EXPECT_EQ(ticket[0], 1);
}

// --- The process.

TEST(TlsLibrary, WarmsUp) {
  const auto warm = warm_up();
  EXPECT_TRUE(warm) << warm.error();
  EXPECT_TRUE(library_version().starts_with("wolfSSL 5.")) << library_version();
}

TEST(TlsLibrary, KeepsIdleSessionsSmall) {
  RecordBuffers buffers;
  Pair any;
  any.contexts = ServerContexts::load({&localhost(), 1}, any.tickets, &buffers).value();
  std::vector<std::unique_ptr<Session>> idle;
  constexpr int kSessions = 1000;
  idle.reserve(kSessions);
  any.shake_hands();
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < kSessions; ++i) {
    any.server.session = std::make_unique<Session>(*any.contexts);
    any.client.session = std::make_unique<Session>(*any.context, "localhost");
    any.shake_hands();
    any.client.seal(std::string(5000, 'x'));
    any.run();
    any.server.received.clear();
    idle.push_back(std::move(any.server.session));
  }
  any.client.session.reset();
  any.client.wire = {};
  any.server.wire = {};
  const std::size_t each = (mallinfo2().uordblks - before) / kSessions;
  if (each == 0) GTEST_SKIP() << "another allocator, as sanitizers bring it";
  std::printf("idle server session: %zu bytes, of which %zu are the Session itself\n", each,
              sizeof(Session));
  RecordProperty("bytes", static_cast<int>(each));
  // An expanded key is a kilobyte, and there are at most 1,024 of them.
  EXPECT_LT(each, 1100u + 1100u);
}

}  // namespace
}  // namespace tls::test
