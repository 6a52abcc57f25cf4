// The engine against the `openssl` command line, over a Unix socket: certificates of each kind,
// both roles, both versions.
#include "tests/proto/tls/openssl.hh"

namespace tls::test {
namespace {

// A key of each kind, as users bring them; the last is a chain with an intermediate.
TEST_F(OpenSsl, CertificatesOfEachKindAreServed) {
  const std::string request =
      "-nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost "
      "-addext subjectAltName=DNS:localhost,DNS:*.example.org";
  const char* kinds[] = {"rsa:2048", "rsa:4096", "ec -pkeyopt ec_paramgen_curve:P-256",
                         "ec -pkeyopt ec_paramgen_curve:P-384", "ed25519"};
  TicketKeys tickets;
  for (const std::string kind : kinds) {
    ASSERT_TRUE(run("req -x509 -newkey " + kind + " " + request)) << read_file(file("log"));
    const Pem pem{read_file(file("cert.pem")), read_file(file("key.pem"))};
    const auto contexts = ServerContexts::load({&pem, 1}, tickets);
    ASSERT_TRUE(contexts) << kind << ": " << contexts.error();
    for (const Version version : {Version::k12, Version::k13}) {
      for (const char* name : {"localhost", "www.example.org"}) {
        Pair pair({.ca = pem.chain, .version_max = version}, name);
        pair.server.session = std::make_unique<Session>(**contexts);
        SCOPED_TRACE(kind);
        pair.shake_hands();
      }
      Pair deeper({.ca = pem.chain, .version_max = version}, "a.b.example.org");
      deeper.server.session = std::make_unique<Session>(**contexts);
      deeper.client.session->start(deeper.client.wire);
      deeper.run();
      EXPECT_EQ(deeper.client.session->error().reason, "certificate is not for this name");
    }
  }
}

TEST_F(OpenSsl, AChainIsServedWithItsIntermediate) {
  write("ca.ext", "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n");
  write("leaf.ext", "subjectAltName=DNS:localhost\n");
  ASSERT_TRUE(
      run("req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 2 "
          "-subj /CN=Root"));
  ASSERT_TRUE(run("req -newkey rsa:2048 -nodes -keyout mid.key -out mid.csr -subj /CN=Middle"));
  ASSERT_TRUE(
      run("x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 "
          "-extfile ca.ext -out mid.pem"));
  ASSERT_TRUE(run("req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=Leaf"));
  ASSERT_TRUE(
      run("x509 -req -in leaf.csr -CA mid.pem -CAkey mid.key -CAcreateserial -days 2 "
          "-extfile leaf.ext -out leaf.pem"));
  const Pem pem{read_file(file("leaf.pem")) + read_file(file("mid.pem")),
                read_file(file("leaf.key"))};
  TicketKeys tickets;
  const auto contexts = ServerContexts::load({&pem, 1}, tickets);
  ASSERT_TRUE(contexts) << contexts.error();
  Pair pair({.ca = read_file(file("root.pem"))});
  pair.server.session = std::make_unique<Session>(**contexts);
  pair.shake_hands();
}

TEST_F(OpenSsl, AcceptsTheDevelopmentCertificate) {
  write("cert.pem", localhost().chain);
  write("key.pem", localhost().key);
  EXPECT_TRUE(run("verify -x509_strict -CAfile cert.pem -verify_hostname localhost cert.pem") &&
              run("verify -x509_strict -CAfile cert.pem -verify_ip 127.0.0.1 cert.pem") &&
              run("verify -x509_strict -CAfile cert.pem -verify_ip ::1 cert.pem") &&
              run("pkey -in key.pem -check -noout"))
      << read_file(file("log"));
}

TEST_F(OpenSsl, ClientIsServed) {
  write("cert.pem", localhost().chain);
  const char* versions[] = {"-tls1_2", "-tls1_3"};
  for (const std::string version : versions) {
    SCOPED_TRACE(version);
    unlink(file("socket").c_str());
    Pair pair;
    listen_then(
        "s_client -unix socket -servername localhost -CAfile cert.pem -verify_return_error "
        "-verify_hostname localhost -alpn h2,http/1.1 -nocommands -groups X25519:P-256 " +
        version);
    tell("hello\n");
    pump(pair.server, [&] { return pair.server.received == "hello\n"; });
    ASSERT_EQ(pair.server.received, "hello\n")
        << pair.server.session->error().text() << read_file(file("log"));
    EXPECT_EQ(pair.server.session->protocol(), "http/1.1");
    EXPECT_EQ(pair.server.session->server_name(), "localhost");
    EXPECT_EQ(pair.server.session->group(), "X25519");
    pair.server.seal("welcome\n");
    pair.server.session->close(pair.server.wire);
    pump(pair.server, [] { return false; });
    EXPECT_TRUE(pair.server.session->ended_cleanly());
    waitpid(child_, nullptr, 0);
    child_ = -1;
    EXPECT_NE(read_file(file("log")).find("welcome"), std::string::npos);
    ::close(to_child_);
    ::close(std::exchange(socket_, -1));
  }
}

TEST_F(OpenSsl, ClientMayChangeItsKeys) {
  Pair pair;
  listen_then("s_client -unix socket -tls1_3");
  tell("one\n");
  pump(pair.server, [&] { return pair.server.received == "one\n"; });
  // K alone on a line: a KeyUpdate that asks for an answer; k: one that does not. A line is read
  // with what is there, so the next one waits for the log.
  const struct {
    const char* command;
    const char* line;
  } changes[] = {{"K\n", "two\n"}, {"k\n", "three\n"}, {"K\n", "four\n"}};
  std::size_t updates = 0;
  for (const auto& each : changes) {
    tell(each.command);
    ++updates;
    wait_for([&] { return count(read_file(file("log")), "KEYUPDATE") == updates; });
    tell(each.line);
    const std::size_t before = pair.server.received.size();
    pump(pair.server, [&] { return pair.server.received.size() > before; });
    pair.server.seal("answer\n");
  }
  EXPECT_EQ(pair.server.received, "one\ntwo\nthree\nfour\n");
  pump(pair.server, [] { return true; });
  wait_for([&] { return count(read_file(file("log")), "answer") == updates; });
  tell("Q\n");
  pump(pair.server, [] { return false; });
  EXPECT_TRUE(pair.server.session->ended_cleanly()) << pair.server.session->error().text();
}

TEST_F(OpenSsl, ClientResumesOnAnotherShardAndAcrossARotation) {
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    SCOPED_TRACE(version);
    TicketKeys tickets;
    for (const std::string session : {"-sess_out s", "-sess_in s -sess_out s", "-sess_in s"}) {
      unlink(file("socket").c_str());
      const auto contexts = ServerContexts::load({&localhost(), 1}, tickets).value();
      Peer server;
      server.session = std::make_unique<Session>(*contexts);
      listen_then("s_client -unix socket -nocommands " + version + " " + session);
      tell("x");
      pump(server, [&] { return server.received == "x"; });
      EXPECT_EQ(server.session->resumed(), session != "-sess_out s") << session;
      server.seal("bye");
      server.session->close(server.wire);
      pump(server, [] { return false; });
      waitpid(std::exchange(child_, -1), nullptr, 0);
      ::close(to_child_);
      ::close(std::exchange(socket_, -1));
      if (session == "-sess_out s") tickets.rotate();
    }
  }
}

TEST_F(OpenSsl, OldClientIsRefused) {
  Pair pair;
  listen_then("s_client -unix socket -tls1_1 -cipher DEFAULT:@SECLEVEL=0");
  pump(pair.server, [] { return false; });
  EXPECT_EQ(pair.server.status, Progress::Status::kFailed);
  EXPECT_EQ(pair.server.session->error().text(),
            "protocol version too old (protocol_version alert sent)");
}

TEST_F(OpenSsl, ServerIsVerifiedAndSpokenTo) {
  write("cert.pem", localhost().chain);
  write("key.pem", localhost().key);
  const char* versions[] = {"-tls1_2", "-tls1_3"};
  for (const std::string version : versions) {
    SCOPED_TRACE(version);
    unlink(file("socket").c_str());
    connect_to("s_server -unix socket -cert cert.pem -key key.pem -rev -alpn http/1.1 " + version);
    Pair pair;
    pair.client.session->start(pair.client.wire);
    pump(pair.client, [&] { return pair.client.session->handshake_done(); });
    pair.client.seal("abc\n");
    pump(pair.client, [&] { return pair.client.received.ends_with("cba\n"); });
    EXPECT_TRUE(pair.client.received.ends_with("cba\n"))
        << pair.client.session->error().text() << read_file(file("log"));
    EXPECT_EQ(pair.client.session->protocol(), "http/1.1");
    kill(child_, SIGKILL);
    waitpid(std::exchange(child_, -1), nullptr, 0);
    ::close(to_child_);
    ::close(std::exchange(socket_, -1));
  }
}

}  // namespace
}  // namespace tls::test
