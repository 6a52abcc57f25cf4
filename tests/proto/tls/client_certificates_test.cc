// Servers that ask their clients for a certificate: whom they let in, what they tell the others,
// and that a ticket never says more than a certificate would.
#include <poll.h>

#include "proto/tls/library.hh"
#include "tests/proto/tls/doors.hh"

namespace tls::test {
namespace {

using namespace std::chrono_literals;

TEST(TlsClientCertificates, LetInWhoShowsAGoodOne) {
  const struct {
    const char* name;
    Pem certificate;
  } cases[] = {
      {"signed by the CA", root().issue()},
      {"for clients", root().issue({.extensions = "extendedKeyUsage=clientAuth\n"})},
      {"by way of another CA", behind(between().issue(), between().certificate())},
      {"with the CA itself", behind(root().issue(), root().certificate())},
      {"with all of them",
       behind(between().issue(), between().certificate() + root().certificate())},
  };
  for (const bool required : {true, false}) {
    Door door({.ca = root().certificate(), .required = required});
    for (const Version version : kVersions) {
      for (const auto& each : cases) {
        for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
          Visit visit(door, version, each.certificate);
          visit.piece = piece;
          EXPECT_TRUE(visit.enter()) << each.name << ": " << visit.server.session->error().text();
        }
      }
    }
  }
}

TEST(TlsClientCertificates, MayBeOfAnyKindWhateverTheServersIs) {
  const Authority site;
  for (const char* const ours : {"ec -pkeyopt ec_paramgen_curve:P-256", "rsa:2048"}) {
    const Pem served =
        site.issue({.extensions = "subjectAltName=DNS:localhost\n", .key = ours}, "localhost");
    Door door({.ca = root().certificate()}, nullptr, served);
    for (const char* const kind :
         {"ec -pkeyopt ec_paramgen_curve:P-256", "ec -pkeyopt ec_paramgen_curve:P-384", "rsa:2048",
          "rsa:3072", "ed25519"}) {
      const Pem certificate = root().issue({.key = kind});
      for (const Version version : kVersions) {
        Visit visit(door, version, certificate, {}, site.certificate());
        EXPECT_TRUE(visit.enter())
            << ours << ", " << kind << ": " << visit.server.session->error().text();
      }
    }
  }
}

TEST(TlsClientCertificates, KeepOutWhoShowsABadOne) {
  const Authority second(between(), "second");
  const Authority third(second, "third");
  const Authority fourth(third, "fourth");
  const std::string long_way = third.certificate() + second.certificate() + between().certificate();
  const Pem self_signed = make_self_signed().value();
  const Pem leaf = root().issue();
  const struct {
    const char* name;
    Pem certificate;
    const char* expected;
  } cases[] = {
      {"of another CA", stranger().issue(),
       "certificate of an unknown authority (unknown_ca alert sent)"},
      {"of another CA, with it", behind(stranger().issue(), stranger().certificate()),
       "certificate of an unknown authority (unknown_ca alert sent)"},
      {"without the CA between", between().issue(),
       "certificate of an unknown authority (unknown_ca alert sent)"},
      {"signed by itself", self_signed,
       "certificate of an unknown authority (unknown_ca alert sent)"},
      {"expired", root().issue({.begin = -48h, .end = -24h}),
       "certificate has expired (certificate_expired alert sent)"},
      {"too new", root().issue({.begin = 24h, .end = 48h}),
       "certificate is not valid yet (certificate_expired alert sent)"},
      {"for servers", root().issue({.extensions = "extendedKeyUsage=serverAuth\n"}),
       "certificate is not for this use (extended key usage) (bad_certificate alert sent)"},
      {"not for signatures", root().issue({.extensions = "keyUsage=keyAgreement\n"}),
       "certificate is not for signatures (key usage) (bad_certificate alert sent)"},
      {"by a long way", behind(fourth.issue(), fourth.certificate() + long_way),
       "certificate chain too long (bad_certificate alert sent)"},
  };
  for (const bool required : {true, false}) {
    Door door({.ca = root().certificate(), .required = required});
    for (const Version version : kVersions) {
      EXPECT_TRUE(Visit(door, version, behind(third.issue(), long_way)).enter()) << "not so long";
      for (const auto& each : cases) {
        Visit visit(door, version, each.certificate);
        EXPECT_FALSE(visit.enter()) << each.name;
        EXPECT_EQ(visit.server.session->error().text(), each.expected) << each.name;
      }
    }
  }
}

TEST(TlsClientCertificates, MayBeLeftOutOnlyWhereTheyAreOptional) {
  Door strict({.ca = root().certificate()});
  Door lenient({.ca = root().certificate(), .required = false});
  for (const Version version : kVersions) {
    Visit refused(strict, version, {});
    EXPECT_FALSE(refused.enter());
    EXPECT_EQ(refused.server.session->error().text(),
              version == Version::k13
                  ? "the client showed no certificate (certificate_required alert sent)"
                  : "the client showed no certificate (handshake_failure alert sent)");
    Visit welcome(lenient, version, {});
    EXPECT_TRUE(welcome.enter()) << welcome.server.session->error().text();
  }
}

// Else whoever has a certificate of a CA that somebody else has shown once would be let in.
TEST(TlsClientCertificates, LeaveNothingBehindForTheNextClient) {
  Door door({.ca = root().certificate()});
  const Pem whole = behind(between().issue(), between().certificate());
  const Pem half = between().issue();
  for (const Version version : kVersions) {
    EXPECT_TRUE(Visit(door, version, whole).enter());
    EXPECT_FALSE(Visit(door, version, half).enter());
    EXPECT_FALSE(Visit(door, version, behind(stranger().issue(), between().certificate())).enter());
    EXPECT_FALSE(Visit(door, version, half).enter()) << "after one that was refused";
  }
}

TEST(TlsClientCertificates, AreCheckedAlikeByASetThatSharesThem) {
  Door first({.ca = root().certificate()});
  Door next({});
  next.contexts = std::make_unique<ServerContexts>(next.own_tickets);
  next.contexts->check_clients_like(*first.contexts);
  next.contexts->add(*first.contexts, 0);
  ASSERT_TRUE(next.contexts->add(localhost()));
  first.contexts.reset();
  for (const Version version : kVersions) {
    EXPECT_TRUE(Visit(next, version, root().issue()).enter());
    EXPECT_FALSE(Visit(next, version, stranger().issue()).enter());
    EXPECT_FALSE(Visit(next, version, {}).enter());
  }
}

TEST(TlsClientCertificates, NeedACaThatIsOne) {
  TicketKeys tickets;
  for (const std::string& text : {std::string("nothing"), localhost().key}) {
    const ClientCheck check{.ca = text};
    const auto loaded = ServerContexts::load({&localhost(), 1}, tickets, nullptr, &check);
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().find("no authority"), std::string::npos) << loaded.error();
  }
}

// --- Tickets.

TEST(TlsClientCertificates, BindTicketsToWhatLetTheirClientIn) {
  if (!lacks().empty()) GTEST_SKIP() << library_version() << " resumes in the server role only";
  const std::string both = root().certificate() + stranger().certificate();
  const ClientCheck checks[] = {
      {},
      {.ca = root().certificate()},
      {.ca = root().certificate(), .required = false},
      {.ca = stranger().certificate()},
      {.ca = stranger().certificate(), .required = false},
      {.ca = root().certificate(), .depth = 0},
      {.ca = root().certificate(), .crl = root().list_revoked({})},
      {.ca = both},
      {.ca = both, .required = false},
  };
  constexpr std::size_t kChecks = std::size(checks);
  const Pem certificate = root().issue();
  const Pem strange = stranger().issue();
  for (const Version version : kVersions) {
    for (std::size_t from = 0; from < kChecks; ++from) {
      for (std::size_t to = 0; to < kChecks; ++to) {
        SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
        TicketKeys tickets;
        Door first(checks[from], &tickets);
        Visit visit(first, version,
                    checks[from].ca == stranger().certificate() ? strange : certificate);
        ASSERT_TRUE(visit.enter()) << visit.server.session->error().text();
        const Ticket ticket = visit.client.session->ticket();
        ASSERT_TRUE(ticket);
        // Made anew, as after a reload.
        Door second(checks[to], &tickets);
        Visit again(second, version,
                    checks[to].ca == stranger().certificate() ? strange : certificate, ticket);
        EXPECT_TRUE(again.enter()) << again.server.session->error().text();
        EXPECT_EQ(again.server.session->resumed(), from == to);
        EXPECT_EQ(again.client.session->resumed(), from == to);
      }
    }
  }
}

TEST(TlsClientCertificates, AreAskedForWhereATicketIsBoundToSomethingElse) {
  if (!lacks().empty()) GTEST_SKIP() << library_version() << " resumes in the server role only";
  for (const Version version : kVersions) {
    TicketKeys tickets;
    Door open({}, &tickets);
    Door optional({.ca = root().certificate(), .required = false}, &tickets);
    Door required({.ca = root().certificate()}, &tickets);
    for (Door* const first : {&open, &optional}) {
      Visit visit(*first, version, {});
      ASSERT_TRUE(visit.enter());
      const Ticket ticket = visit.client.session->ticket();
      ASSERT_TRUE(ticket);
      Visit again(required, version, {}, ticket);
      EXPECT_FALSE(again.enter());
      EXPECT_EQ(again.server.session->error().reason, "the client showed no certificate");
    }
  }
}

// And what comes from it, from one ticket to the next; and so does the list of revoked ones. True:
// the machine was too slow for such a short life to tell anything.
bool is_too_short(std::chrono::seconds life, Version version, bool is_lists,
                  std::string_view reason) {
  const auto made = std::chrono::steady_clock::now();
  const std::string list = is_lists ? root().list_revoked({}, life) : "";
  Door door({.ca = root().certificate(), .crl = list});
  const Pem certificate = root().issue({.end = is_lists ? 24h : life});
  Visit first(door, version, certificate);
  const bool is_in = first.enter();
  Ticket ticket = is_in ? first.client.session->ticket() : Ticket();
  int resumed = 0;
  std::string_view end;
  for (int tries = 0; ticket && end.empty() && tries < 10'000; ++tries) {
    Visit visit(door, version, certificate, ticket);
    const bool may_tell = std::chrono::steady_clock::now() - made < life - 1s;
    if (!visit.enter()) {
      end = visit.server.session->error().reason;
    } else if (visit.server.session->resumed()) {
      ++resumed;
      ticket = visit.client.session->ticket();
    }
    if (resumed == 0 && !may_tell) return true;
    poll(nullptr, 0, 10);
  }
  if (!is_in && std::chrono::steady_clock::now() - made >= life - 1s) return true;
  EXPECT_TRUE(is_in) << first.server.session->error().text();
  EXPECT_GT(resumed, 0);
  EXPECT_EQ(end, reason);
  return false;
}

TEST(TlsClientCertificates, BoundTheLifeOfTheirTickets) {
  if (!lacks().empty()) GTEST_SKIP() << library_version() << " resumes in the server role only";
  for (const Version version : kVersions) {
    for (const bool is_lists : {false, true}) {
      const char* const reason = is_lists
                                     ? "certificate of a CA whose list of revoked ones has expired"
                                     : "certificate has expired";
      bool is_told = false;
      for (const auto life : {4s, 12s, 60s}) {
        is_told = !is_too_short(life, version, is_lists, reason);
        if (is_told) break;
      }
      EXPECT_TRUE(is_told);
    }
  }
}

}  // namespace
}  // namespace tls::test
