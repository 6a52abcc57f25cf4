// What else than a CA servers ask of their clients' certificates: a short way, that they are not
// revoked, other terms for some names; and what servers tell of them.
#include "proto/tls/certificate_facts.hh"
#include "proto/tls/credentials.hh"
#include "proto/tls/library.hh"
#include "tests/proto/tls/doors.hh"

namespace tls::test {
namespace {

using namespace std::chrono_literals;

TEST(TlsClientTerms, MayComeOnlyAsLongAWayAsIsAllowed) {
  const Authority second(between(), "second");
  const std::string ca = root().certificate();
  const struct {
    Pem certificate;
    unsigned others;
  } cases[] = {
      {root().issue(), 0},
      {behind(root().issue(), ca), 0},
      {behind(between().issue(), between().certificate()), 1},
      {behind(between().issue(), between().certificate() + ca), 1},
      {behind(second.issue(), second.certificate() + between().certificate()), 2},
      // One that is of no use counts, too.
      {behind(root().issue(), between().certificate()), 1},
  };
  for (unsigned depth = 0; depth <= 2; ++depth) {
    Door door({.ca = ca, .depth = depth});
    for (const Version version : kVersions) {
      for (const auto& each : cases) {
        Visit visit(door, version, each.certificate);
        EXPECT_EQ(visit.enter(), each.others <= depth)
            << each.others << " of " << depth << ": " << visit.server.session->error().text();
        if (each.others <= depth) continue;
        EXPECT_EQ(visit.server.session->error().text(),
                  "certificate chain too long (bad_certificate alert sent)");
      }
    }
  }
}

TEST(TlsClientTerms, AreRefusedOnceTheyAreRevoked) {
  const Pem good = root().issue();
  const Pem bad = root().issue();
  const Authority revoked(root(), "revoked");
  const std::string ours = root().list_revoked({bad.chain, revoked.certificate()});
  const std::string none = root().list_revoked({});
  const std::string theirs = between().list_revoked({});
  const std::string old = root().list_revoked({}, -1h);
  const std::string two = root().certificate() + between().certificate();
  const char* const kMissing = "certificate of a CA whose list of revoked ones is missing";
  const char* const kRevoked = "certificate has been revoked";
  const struct {
    const char* name;
    std::string ca, crl;
    Pem certificate;
    const char* reason;  // empty: it is let in
  } cases[] = {
      {"a good one", root().certificate(), ours, good, ""},
      {"a revoked one", root().certificate(), ours, bad, kRevoked},
      {"one that has not been revoked yet", root().certificate(), none, bad, ""},
      {"with the CA itself", root().certificate(), ours, behind(bad, root().certificate()),
       kRevoked},
      {"of a CA that is revoked", two, ours + theirs,
       behind(revoked.issue(), revoked.certificate()), kMissing},
      {"of a CA whose list is there, too", two, ours + theirs, between().issue(), ""},
      {"of a CA that is shown, and whose list is there", two, ours + theirs,
       behind(between().issue(), between().certificate()), ""},
      {"of a CA whose list is not there", two, ours, between().issue(), kMissing},
      {"of a CA that is trusted by way of another, whose list is not there", root().certificate(),
       ours, behind(between().issue(), between().certificate()), kMissing},
      {"where the list has expired", root().certificate(), old, good, kMissing},
      {"where another one has expired", root().certificate(), old + ours, good, ""},
  };
  for (const auto& each : cases) {
    for (const bool required : {true, false}) {
      Door door({.ca = each.ca, .required = required, .crl = each.crl});
      for (const Version version : kVersions) {
        Visit visit(door, version, each.certificate);
        EXPECT_EQ(visit.enter(), each.reason[0] == '\0') << each.name;
        EXPECT_EQ(visit.server.session->error().reason, each.reason) << each.name;
      }
    }
  }
}

// Shown between one whose own CA's list is fine, and a root that has revoked it.
TEST(TlsClientTerms, AreRefusedWhereOneBetweenIsRevoked) {
  const Authority revoked(root(), "revoked");
  const Pem leaf = behind(root().issue(), revoked.certificate());
  Door door({.ca = root().certificate(), .crl = root().list_revoked({revoked.certificate()})});
  Door before({.ca = root().certificate(), .crl = root().list_revoked({})});
  for (const Version version : kVersions) {
    EXPECT_TRUE(Visit(before, version, leaf).enter());
    Visit visit(door, version, leaf);
    EXPECT_FALSE(visit.enter());
    EXPECT_EQ(visit.server.session->error().text(),
              "certificate has been revoked (bad_certificate alert sent)");
  }
}

TEST(TlsClientTerms, AreRevokedByListsOfTheirCasAlone) {
  const std::string list = root().list_revoked({});
  const std::string ca = root().certificate();
  EXPECT_TRUE(check_lists(list, ca).faults.empty());
  EXPECT_TRUE(check_lists(list, ca).warnings.empty());
  const auto fault = [&](const std::string& crl) {
    const Findings found = check_lists(crl, ca);
    EXPECT_EQ(found.faults.size(), 1u);
    return found.faults.empty() ? "" : found.faults.front();
  };
  EXPECT_EQ(fault(ca),
            "holds no list of revoked certificates in PEM form (BEGIN X509 CRL); 'openssl crl "
            "-inform DER -in FILE' converts one");
  EXPECT_EQ(
      fault(list + stranger().list_revoked({})),
      "is of a CA that client_ca does not have (list 2): put the CA's certificate there, too");
  EXPECT_TRUE(fault(list.substr(0, list.size() / 2)).ends_with("it is cut off): fetch it anew"));
  std::string damaged = list;
  const std::size_t at = damaged.find("-----END") - 10;
  damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
  EXPECT_TRUE(fault(damaged).ends_with("): fetch it anew")) << fault(damaged);
  const Findings old = check_lists(root().list_revoked({}, -1h), ca);
  EXPECT_TRUE(old.faults.empty());
  ASSERT_EQ(old.warnings.size(), 1u);
  EXPECT_TRUE(old.warnings.front().starts_with("has expired (list 1)")) << old.warnings.front();
}

// --- What is told of them.

TEST(TlsClientTerms, SayWhoseTheyAreWhereThatIsAskedFor) {
  const Pem certificate =
      root().issue({.extensions = "subjectAltName=DNS:client.test\n"}, "client");
  for (const bool required : {true, false}) {
    for (const Version version : kVersions) {
      Door silent({.ca = root().certificate(), .required = required});
      Visit untold(silent, version, certificate);
      ASSERT_TRUE(untold.enter());
      EXPECT_EQ(untold.server.session->client_certificate(), nullptr);

      Door door({.ca = root().certificate(), .required = required, .tells = true});
      Visit visit(door, version, behind(certificate, root().certificate()));
      EXPECT_EQ(visit.server.session->client_certificate(), nullptr);
      ASSERT_TRUE(visit.enter());
      const CertificateFacts* const facts = visit.server.session->client_certificate();
      ASSERT_NE(facts, nullptr);
      EXPECT_EQ(facts->subject, "CN=client");
      EXPECT_EQ(facts->issuer, "CN=root");
      EXPECT_EQ(facts->names, "DNS:client.test");
      EXPECT_EQ(facts->fingerprint.size(), 64u);
      EXPECT_EQ(visit.client.session->client_certificate(), nullptr);
      if (required) continue;
      Visit nobody(door, version, {});
      ASSERT_TRUE(nobody.enter());
      EXPECT_EQ(nobody.server.session->client_certificate(), nullptr);
    }
  }
}

TEST(TlsClientTerms, AreRefusedWhereTheySayMoreThanCanBeTold) {
  const Pem certificate =
      root().issue({.extensions = "subjectAltName=URI:http://" + std::string(5000, 'a') + "\n"});
  for (const Version version : kVersions) {
    Door silent({.ca = root().certificate()});
    EXPECT_TRUE(Visit(silent, version, certificate).enter());
    Door door({.ca = root().certificate(), .tells = true});
    Visit visit(door, version, certificate);
    EXPECT_FALSE(visit.enter());
    EXPECT_EQ(visit.server.session->error().text(),
              "certificate says more than servers can be told (bad_certificate alert sent)");
  }
}

// A ticket has no room for what was told.
TEST(TlsClientTerms, AreShownAnewWhereTheyAreTold) {
  const Pem certificate = root().issue();
  for (const Version version : kVersions) {
    TicketKeys tickets;
    Door silent({.ca = root().certificate()}, &tickets);
    Door door({.ca = root().certificate(), .tells = true}, &tickets);
    Visit first(silent, version, certificate);
    ASSERT_TRUE(first.enter());
    Visit second(door, version, certificate, first.client.session->ticket());
    ASSERT_TRUE(second.enter()) << second.server.session->error().text();
    EXPECT_FALSE(second.server.session->resumed());
    EXPECT_NE(second.server.session->client_certificate(), nullptr);
    EXPECT_FALSE(second.client.session->ticket());
  }
}

// --- Names that ask for something else.

// Its own terms, and those of "strict.test", of "open.test", and of any name under "deep.test".
struct House {
  TicketKeys tickets;
  Door own, strict, open, deep;

  House()
      : own({.ca = root().certificate(), .required = false}, &tickets),
        strict({.ca = root().certificate()}, &tickets),
        open({}, &tickets),
        deep({.ca = stranger().certificate()}, &tickets) {
    const std::string names[] = {"strict.test", "open.test", "*.deep.test"};
    own.contexts->add_policy({&names[0], 1}, *strict.contexts);
    own.contexts->add_policy({&names[1], 1}, *open.contexts);
    own.contexts->add_policy({&names[2], 1}, *deep.contexts);
    // Sessions need none of them.
    strict.contexts.reset();
    open.contexts.reset();
    deep.contexts.reset();
  }
};

struct Call : Pair {
  Call(House& house, Version version, const std::string& name, const Pem& certificate,
       const Ticket& ticket = {})
      : Pair({.verify = false, .version_max = version, .certificate = certificate}, name, ticket) {
    server.session = std::make_unique<Session>(*house.own.contexts);
    client.session->start(client.wire);
    run();
    client.seal("hello");
    server.seal("welcome");
    run();
  }
  bool is_in() const { return server.received == "hello"; }
  bool resumed() const { return server.session->resumed(); }
};

TEST(TlsClientTerms, AreAskedForByTheServersName) {
  const Pem ours = root().issue();
  const Pem theirs = stranger().issue();
  const struct {
    const char* name;
    bool nobody, ours, theirs;  // is let in
  } cases[] = {
      {"", true, true, false},
      {"else.test", true, true, false},
      {"deep.test", true, true, false},
      {"strict.test", false, true, false},
      {"STRICT.test.", false, true, false},
      {"open.test", true, true, true},
      {"a.deep.test", false, false, true},
      {"a.b.deep.test", false, false, true},
  };
  for (const Version version : kVersions) {
    House house;
    for (const auto& each : cases) {
      EXPECT_EQ(Call(house, version, each.name, {}).is_in(), each.nobody) << each.name;
      EXPECT_EQ(Call(house, version, each.name, ours).is_in(), each.ours) << each.name;
      Call last(house, version, each.name, theirs);
      EXPECT_EQ(last.is_in(), each.theirs) << each.name;
      EXPECT_EQ(last.server.session->server_name(), each.name);
    }
  }
}

TEST(TlsClientTerms, GiveNoTicketsForNamesThatAskForSomethingElse) {
  if (!lacks().empty()) GTEST_SKIP() << library_version() << " resumes in the server role only";
  const char* const names[] = {"else.test", "strict.test", "open.test", "a.deep.test"};
  for (const Version version : kVersions) {
    House house;
    for (const std::string from : names) {
      for (const std::string to : names) {
        const Pem certificate = from == "a.deep.test" ? stranger().issue() : root().issue();
        Call first(house, version, from, certificate);
        ASSERT_TRUE(first.is_in()) << first.server.session->error().text();
        const Ticket ticket = first.client.session->ticket();
        ASSERT_TRUE(ticket);
        const Pem other = to == "a.deep.test" ? stranger().issue() : root().issue();
        Call second(house, version, to, other, ticket);
        EXPECT_TRUE(second.is_in()) << second.server.session->error().text();
        EXPECT_EQ(second.resumed(), from == to) << from << " to " << to;
        EXPECT_EQ(second.server.session->server_name(), to);
      }
    }
  }
}

}  // namespace
}  // namespace tls::test
