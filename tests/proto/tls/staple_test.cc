// OCSP responses: what is read of them, which of them are shown, and to whom.
#include "proto/tls/staple.hh"

#include <gmock/gmock.h>

#include "tests/proto/tls/openssl.hh"
#include "tests/proto/tls/staples.hh"

namespace tls::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

// One CA, a certificate of it and what is said of that, for all tests.
struct Site {
  Authority authority;
  Pem pem = authority.issue({.extensions = kForLocalhost}, "localhost");
  std::string response = authority.respond(pem.chain);
};

const Site& site() {
  static const Site made;
  return made;
}

std::string only_fault(std::string_view text) {
  const StapleFile file = read_staple(text, site().pem.chain);
  EXPECT_EQ(file.found.faults.size(), 1u);
  EXPECT_TRUE(file.der.empty());
  return file.found.faults.empty() ? "" : file.found.faults.front();
}

std::string only_warning(std::string_view text) {
  const StapleFile file = read_staple(text, site().pem.chain);
  EXPECT_TRUE(file.found.faults.empty());
  EXPECT_EQ(file.der, text);
  EXPECT_EQ(file.found.warnings.size(), 1u);
  return file.found.warnings.empty() ? "" : file.found.warnings.front();
}

TEST(Staple, AGoodOneIsRead) {
  const StapleFile file = read_staple(site().response, site().pem.chain);
  EXPECT_TRUE(file.found.faults.empty());
  EXPECT_TRUE(file.found.warnings.empty());
  EXPECT_EQ(file.der, site().response);
  EXPECT_EQ(file.status.kind, OcspStatus::Kind::kGood);
  EXPECT_EQ(file.status.until - file.status.from, seconds(hours(48)).count());
}

TEST(Staple, ItsCertificateMayBeToldByAnotherDigest) {
  const std::string response = site().authority.respond(site().pem.chain, "-ndays 2");
  EXPECT_EQ(read_staple(response, site().pem.chain).der, response);
  for (const std::string digest : {"-sha256", "-sha384"}) {
    const std::string other = site().authority.respond(site().pem.chain, "-ndays 2", digest);
    EXPECT_NE(other, response);
    EXPECT_EQ(read_staple(other, site().pem.chain).der, other) << digest;
  }
}

TEST_F(OpenSsl, AStapleMayBePem) {
  write("der", site().response);
  ASSERT_TRUE(run("base64 -in der -out body"));
  const std::string body = read_file(file("body"));
  const std::string begin = "-----BEGIN OCSP RESPONSE-----\n";
  const std::string end = "-----END OCSP RESPONSE-----\n";
  EXPECT_EQ(read_staple(begin + body + end, site().pem.chain).der, site().response);
  EXPECT_THAT(only_fault(begin + body), StartsWith("is cut off"));
  EXPECT_THAT(only_fault(begin + "?" + body + end), StartsWith("holds no OCSP response"));
  EXPECT_THAT(only_fault(site().pem.chain),
              StartsWith("holds no OCSP response but CERTIFICATE: name what"));
}

TEST(Staple, WhatIsNoResponseIsAFault) {
  EXPECT_EQ(only_fault(""), "is empty: fetch it anew");
  EXPECT_THAT(only_fault("404 Not Found"), StartsWith("holds no OCSP response"));
  EXPECT_THAT(only_fault(std::string(20'000, '0')), StartsWith("is larger than 12KiB"));
  const std::string& good = site().response;
  for (std::size_t size = 1; size < good.size(); ++size) {
    EXPECT_THAT(only_fault(good.substr(0, size)), StartsWith("holds no OCSP response"));
  }
  EXPECT_THAT(only_fault(good + '\0'), StartsWith("holds no OCSP response"));
}

TEST(Staple, WhatTheResponderRefusedIsAFault) {
  const std::string refusal("\x30\x03\x0a\x01", 4);
  EXPECT_THAT(only_fault(refusal + '\x03'), HasSubstr("refused to answer (tryLater)"));
  EXPECT_THAT(only_fault(refusal + '\x06'), HasSubstr("refused to answer (unauthorized)"));
  EXPECT_THAT(only_fault(refusal + '\x04'), HasSubstr("refused to answer (status 4)"));
  EXPECT_THAT(only_fault(refusal + '\xff'), HasSubstr("refused to answer (status 255)"));
  EXPECT_THAT(only_fault(refusal + '\0'), StartsWith("holds no OCSP response"));
}

TEST(Staple, OneOfAnotherCertificateIsAFault) {
  const Pem other = site().authority.issue({}, "other");
  EXPECT_THAT(only_fault(site().authority.respond(other.chain)),
              StartsWith("is for another certificate, with the serial number "));
  // The same number, of another CA: the first octets of twenty are the digest of its name.
  std::string foreign = site().response;
  foreign[foreign.find("\x04\x14") + 2] ^= 1;
  EXPECT_THAT(only_fault(foreign), StartsWith("is for another certificate"));
}

TEST(Staple, OneWithoutAnEndIsAFault) {
  EXPECT_THAT(only_fault(site().authority.respond(site().pem.chain, "")),
              StartsWith("does not say until when it holds (nextUpdate)"));
}

TEST(Staple, WhatIsNotShownIsAWarning) {
  const std::string expired = with_times(site().response, -hours(48), -seconds(1));
  EXPECT_THAT(only_warning(expired), StartsWith("expired at 20"));
  const std::string early = with_times(site().response, hours(1), hours(2));
  EXPECT_THAT(only_warning(early), StartsWith("is not valid before 20"));
  const Authority forgetful;
  const Pem unknown = forgetful.issue({}, "forgotten");
  forgetful.issue({}, "later");
  const StapleFile file = read_staple(forgetful.respond(unknown.chain), unknown.chain);
  ASSERT_EQ(file.found.warnings.size(), 1u);
  EXPECT_THAT(file.found.warnings[0], HasSubstr("does not know the certificate"));
}

TEST(Staple, OfARevokedOneItIsToldAndShown) {
  const Authority authority;
  const Pem pem = authority.issue({.extensions = kForLocalhost}, "localhost");
  authority.list_revoked({pem.chain});
  const StapleFile file = read_staple(authority.respond(pem.chain), pem.chain);
  ASSERT_EQ(file.found.warnings.size(), 1u);
  EXPECT_THAT(file.found.warnings[0], StartsWith("says that the certificate is revoked"));
  EXPECT_TRUE(file.status.is_worth_showing(std::time(nullptr)));
}

TEST(Staple, TimesThatAreNoneAreAFault) {
  for (const std::string time : {"20261329120000Z", "20260029120000Z", "20260132120000Z",
                                 "20260100120000Z", "20260101240000Z", "20260101006000Z",
                                 "20260101000061Z", "2026010100000aZ", "20260101000000+"}) {
    std::string response = site().response;
    const std::size_t made = response.find("\x18\x0f");
    const std::size_t from = response.find("\x18\x0f", made + 1);
    response.replace(from + 2, time.size(), time);
    EXPECT_THAT(only_fault(response), StartsWith("holds no OCSP response")) << time;
  }
}

// `openssl s_client -status` against contexts.
class StapleShown : public OpenSsl {
 protected:
  // What it prints of a handshake.
  std::string ask(ServerContexts& contexts, const std::string& arguments) {
    listen_then("s_client -unix socket -servername localhost -nocommands -CAfile ca.pem " +
                arguments);
    Peer server;
    server.session = std::make_unique<Session>(contexts);
    pump(server, [&] { return server.session->handshake_done(); });
    EXPECT_TRUE(server.session->handshake_done()) << server.session->error().text();
    server.session->close(server.wire);
    pump(server, [] { return true; });
    shutdown(socket_, SHUT_WR);
    await_end();
    return read_file(file("log"));
  }
  std::expected<std::unique_ptr<ServerContexts>, std::string> contexts_with(
      const std::string& staple) {
    Pem pem = site().pem;
    pem.staple = staple;
    return ServerContexts::load({&pem, 1}, tickets_);
  }
  void SetUp() override {
    if (!can_staple()) GTEST_SKIP() << "this library cannot show OCSP responses";
    write("ca.pem", site().authority.certificate());
  }

  TicketKeys tickets_;
};

constexpr const char* kVersions[] = {"-tls1_2 ", "-tls1_3 "};

TEST_F(StapleShown, ToThoseWhoAskAndToNobodyElse) {
  const auto contexts = contexts_with(site().response);
  ASSERT_TRUE(contexts) << contexts.error();
  for (const std::string version : kVersions) {
    SCOPED_TRACE(version);
    const std::string told = ask(**contexts, version + "-status");
    EXPECT_THAT(told, HasSubstr("OCSP Response Status: successful"));
    EXPECT_THAT(told, HasSubstr("Cert Status: good"));
    EXPECT_THAT(told, HasSubstr("Verify return code: 0"));
    const std::string untold = ask(**contexts, version + "-msg");
    EXPECT_THAT(untold, Not(HasSubstr("OCSP")));
    EXPECT_THAT(untold, Not(HasSubstr("CertificateStatus")));
  }
  // After a HelloRetryRequest.
  const std::string again = ask(**contexts, "-tls1_3 -status -groups ffdhe2048:X25519 -msg");
  EXPECT_THAT(again, HasSubstr("Cert Status: good"));
  EXPECT_EQ(count(again, ", ClientHello"), 2u);
}

// There is no extension in the ServerHello then that would promise one.
TEST_F(StapleShown, AStaleOneToNobody) {
  const auto contexts = contexts_with(with_times(site().response, -hours(48), -seconds(1)));
  ASSERT_TRUE(contexts) << contexts.error();
  for (const std::string version : kVersions) {
    const std::string told = ask(**contexts, version + "-status -tlsextdebug");
    EXPECT_THAT(told, HasSubstr("OCSP response: no response sent"));
    EXPECT_THAT(told, Not(HasSubstr("TLS server extension \"status request\"")));
  }
}

TEST_F(StapleShown, OnlyWithItsOwnCertificate) {
  Pem with = site().pem;
  with.staple = site().response;
  const Pem without =
      site().authority.issue({.extensions = "subjectAltName=DNS:other.test\n"}, "other");
  const Pem pems[] = {with, without};
  const ClientCheck clients{.ca = localhost().chain, .required = false};
  for (const ClientCheck* check : {static_cast<const ClientCheck*>(nullptr), &clients}) {
    const auto contexts = ServerContexts::load(pems, tickets_, nullptr, check);
    ASSERT_TRUE(contexts) << contexts.error();
    for (const std::string version : kVersions) {
      SCOPED_TRACE(version);
      const std::string first = ask(**contexts, version + "-status");
      EXPECT_THAT(first, HasSubstr("Cert Status: good"));
      const std::string second =
          ask(**contexts, version + "-status -tlsextdebug -servername other.test");
      EXPECT_THAT(second, HasSubstr("OCSP response: no response sent"));
      EXPECT_THAT(second, Not(HasSubstr("TLS server extension \"status request\"")));
    }
  }
}

// RFC 6066 section 1.1: there is no such extension in the ServerHello of a session that is resumed.
TEST_F(StapleShown, NotWhereASessionIsResumed) {
  const auto contexts = contexts_with(site().response);
  ASSERT_TRUE(contexts) << contexts.error();
  for (const std::string version : kVersions) {
    SCOPED_TRACE(version);
    const std::string first = ask(**contexts, version + "-status -sess_out session");
    EXPECT_THAT(first, HasSubstr("Cert Status: good"));
    const std::string second =
        ask(**contexts, version + "-status -tlsextdebug -msg -sess_in session");
    EXPECT_THAT(second, HasSubstr("Reused, TLSv1."));
    EXPECT_THAT(second, Not(HasSubstr("OCSP Response")));
    EXPECT_THAT(second, Not(HasSubstr("CertificateStatus")));
    EXPECT_THAT(second, Not(HasSubstr("TLS server extension \"status request\"")));
  }
}

// Its issuer is no CA of clients'.
TEST_F(StapleShown, TrustsNobodyMore) {
  Pem pem = site().pem;
  pem.chain += site().authority.certificate();
  pem.staple = site().response;
  const Authority clients("clients");
  const ClientCheck check{.ca = clients.certificate()};
  const auto contexts = ServerContexts::load({&pem, 1}, tickets_, nullptr, &check);
  ASSERT_TRUE(contexts) << contexts.error();
  for (const Version version : {Version::k12, Version::k13}) {
    for (const bool is_trusted : {true, false}) {
      const Authority& issuer = is_trusted ? clients : site().authority;
      Pair pair({.ca = site().authority.certificate(),
                 .version_max = version,
                 .certificate = issuer.issue()});
      pair.server.session = std::make_unique<Session>(**contexts);
      pair.client.session->start(pair.client.wire);
      pair.run();
      EXPECT_EQ(pair.server.session->handshake_done(), is_trusted);
      if (is_trusted) continue;
      EXPECT_EQ(pair.server.session->error().reason, "certificate of an unknown authority");
    }
  }
}

TEST_F(StapleShown, AsLargeAsItMayBe) {
  // Certificates behind the signature are part of it.
  const Authority authority;
  const Pem pem = authority.issue({.extensions = kForLocalhost}, "localhost");
  std::string more;
  for (int i = 0; i < 22; ++i) more += authority.certificate();
  write("more.pem", more);
  Pem shown = pem;
  shown.staple = authority.respond(pem.chain, "-ndays 2 -rother " + file("more.pem"));
  EXPECT_GT(shown.staple.size(), 8'000u);
  EXPECT_LE(shown.staple.size(), kOcspResponseBytesMax);
  const auto contexts = ServerContexts::load({&shown, 1}, tickets_);
  ASSERT_TRUE(contexts) << contexts.error();
  write("ca.pem", authority.certificate());
  for (const std::string version : kVersions) {
    EXPECT_THAT(ask(**contexts, version + "-status"), HasSubstr("Cert Status: good")) << version;
  }
}

TEST_F(StapleShown, NeverOneThatIsNone) {
  Pem pem = site().pem;
  pem.staple = "nothing";
  const auto contexts = ServerContexts::load({&pem, 1}, tickets_);
  ASSERT_FALSE(contexts);
  EXPECT_THAT(contexts.error(), StartsWith("its OCSP response holds no OCSP response"));
}

}  // namespace
}  // namespace tls::test
