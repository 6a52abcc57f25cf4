// OpenSSL's hellos: groups, fallback, protocols, and what its client says of a certificate that it
// does not trust.
#include "tests/proto/tls/hellos.hh"
#include "tests/proto/tls/openssl.hh"

namespace tls::test {
namespace {

class OpenSslHello : public OpenSsl {
 protected:
  // A client with these arguments, and what came of it.
  void visit(const std::string& arguments) {
    pair.server = Peer{.session = std::make_unique<Session>(*pair.contexts)};
    held_back.clear();
    plain = true;
    listen_then("s_client -unix socket -servername localhost -ign_eof " + arguments);
    pump(pair.server, [&] { return pair.server.session->handshake_done(); });
    pair.server.seal("welcome\n");
    pair.server.session->close(pair.server.wire);
    pump(pair.server, [] { return false; });
    await_end();
    said = read_file(file("log"));
  }
  // What the client says in plain text is cut into records of this size.
  void take(Peer& peer, std::string_view bytes) override {
    held_back.append(bytes);
    std::size_t whole = 0;
    while (held_back.size() >= whole + 5) {
      const auto high = static_cast<unsigned char>(held_back[whole + 3]);
      const auto low = static_cast<unsigned char>(held_back[whole + 4]);
      const std::size_t size = 5 + (std::size_t{high} << 8 | low);
      if (held_back.size() < whole + size) break;
      whole += size;
    }
    const std::string records = cut_anew(held_back.substr(0, whole), record_size, plain);
    held_back.erase(0, whole);
    peer.open(proto::as_bytes(records));
  }
  std::string error() { return pair.server.session->error().text(); }

  Pair pair;
  std::size_t record_size = 16384;
  std::string held_back;
  bool plain = true;
  std::string said;
};

TEST_F(OpenSslHello, OfEachGroupIsAnswered) {
  const struct {
    const char* offered;
    const char* agreed;
  } cases[] = {{"P-256", "SECP256R1"},           {"P-384", "SECP384R1"},
               {"P-521", "SECP521R1"},           {"X25519", "X25519"},
               {"X448:P-384", "SECP384R1"},      {"ffdhe2048:P-521", "SECP521R1"},
               {"ffdhe2048:P-256", "SECP256R1"}, {"X448:P-521:X25519", "X25519"}};
  for (const auto& each : cases) {
    for (const std::size_t size : {16384u, 1u}) {
      record_size = size;
      visit(std::string("-tls1_3 -groups ") + each.offered);
      EXPECT_TRUE(pair.server.session->ended_cleanly()) << each.offered << " " << error() << said;
      EXPECT_EQ(pair.server.session->group(), each.agreed) << each.offered;
      EXPECT_NE(said.find("welcome"), std::string::npos) << said;
    }
  }
}

TEST_F(OpenSslHello, OfNoGroupThatIsSharedIsRefused) {
  for (const std::string groups : {"X448", "ffdhe2048", "X448:ffdhe2048:ffdhe3072"}) {
    visit("-tls1_3 -groups " + groups);
    EXPECT_EQ(error(), "no shared group (handshake_failure alert sent)") << groups;
    EXPECT_NE(said.find("alert handshake failure"), std::string::npos) << said;
  }
}

TEST_F(OpenSslHello, OfTls12MayComeInRecordsOfAnySize) {
  for (const std::size_t size : {1u, 2u, 3u, 4u, 100u}) {
    record_size = size;
    visit("-tls1_2");
    EXPECT_TRUE(pair.server.session->ended_cleanly()) << size << error() << said;
    EXPECT_NE(said.find("welcome"), std::string::npos) << said;
  }
}

TEST_F(OpenSslHello, OfAFallbackIsRefused) {
  visit("-fallback_scsv -no_tls1_3");
  EXPECT_EQ(error(),
            "an older version than both sides know (TLS_FALLBACK_SCSV) "
            "(inappropriate_fallback alert sent)");
  EXPECT_NE(said.find("alert inappropriate fallback"), std::string::npos) << said;
  visit("-fallback_scsv");
  EXPECT_TRUE(pair.server.session->ended_cleanly()) << error() << said;
}

TEST_F(OpenSslHello, OfAnOlderProtocolIsAnswered) {
  const struct {
    const char* offered;
    const char* agreed;
  } cases[] = {
      {"http/1.0", "http/1.0"}, {"h2,http/1.0", "http/1.0"}, {"http/1.0,http/1.1", "http/1.1"}};
  for (const auto& each : cases) {
    visit(std::string("-alpn ") + each.offered);
    EXPECT_TRUE(pair.server.session->ended_cleanly()) << each.offered << error();
    EXPECT_EQ(pair.server.session->protocol(), each.agreed);
    EXPECT_NE(said.find(std::string("ALPN protocol: ") + each.agreed), std::string::npos) << said;
  }
}

TEST_F(OpenSslHello, IsFollowedByWhatTheClientSaysOfTheCertificate) {
  for (const std::string version : {"-tls1_3", "-tls1_2"}) {
    visit("-verify_return_error " + version);
    EXPECT_EQ(error(), "the client refused the certificate: unknown_ca alert received") << said;
    EXPECT_EQ(pair.server.session->server_name(), "localhost");
  }
}

}  // namespace
}  // namespace tls::test
