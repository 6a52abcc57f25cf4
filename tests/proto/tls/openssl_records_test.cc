// The record layer of an established TLS 1.3 session against the `openssl` command line: each
// suite, both roles, changes of keys from its side, tickets; and a session that moves to other
// memory in the middle of all that.
#include <random>

#include "proto/tls/library.hh"
#include "proto/tls/record_buffers.hh"
#include "tests/proto/tls/openssl.hh"

namespace tls::test {
namespace {

const char* const kSuites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                               "TLS_CHACHA20_POLY1305_SHA256"};

// What comes is taken in pieces of any size, and after each the session may be another one.
class MovingOpenSsl : public OpenSsl {
 protected:
  void take(Peer& peer, std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::size_t size = std::min<std::size_t>(bytes.size(), 1 + random_() % most_);
      peer.open(proto::as_bytes(bytes.substr(0, size)));
      bytes.remove_prefix(size);
      move(peer);
    }
  }
  void move(Peer& peer) {
    if (!moving_ || !peer.session->handshake_done()) return;
    std::vector<std::byte> image;
    if (!peer.session->export_to(image)) return;
    auto made = Session::import_from(image, buffers_);
    ASSERT_TRUE(made) << made.error();
    ASSERT_TRUE(peer.session->failed());
    peer.session = std::move(*made);
    ++moves_;
  }
  // `commands`: of the child, each of which makes it change its keys.
  void talk(Peer& peer, const std::string& name, const std::vector<std::string>& commands) {
    std::size_t sent = 0;
    std::size_t updates = 0;
    for (int round = 0; round < 24; ++round) {
      if (round % 4 == 1 && !commands.empty()) {
        // It reads a command with what is there, so the next line waits until that has arrived.
        tell(commands[updates++ % commands.size()]);
        bool asked = false;
        pump(peer, [&] { return std::exchange(asked, true); });
      }
      if (round % 8 == 2) peer.session->rekey(peer.wire);
      const std::string line(4000 + random_() % 4000, 'x');
      tell(line + "\n");
      const std::size_t wanted = peer.received.size() + line.size() + 1;
      pump(peer, [&] { return peer.received.size() >= wanted; });
      ASSERT_EQ(peer.received.size(), wanted)
          << peer.session->error().text() << read_file(file("log"));
      move(peer);
      const std::string answer(1 + random_() % 30000, 'y');
      peer.seal(answer + "\n");
      sent += answer.size();
      pump(peer, [] { return true; });
    }
    wait_for([&] { return count(read_file(file("log")), "y") >= sent; });
    EXPECT_EQ(peer.session->cipher(), name);
    EXPECT_EQ(peer.session->version(), "TLSv1.3");
    EXPECT_EQ(peer.session->group(), "X25519");
    EXPECT_EQ(peer.received.find_first_not_of("x\n"), std::string::npos);
  }

  std::mt19937 random_{20260801};
  std::size_t most_ = 400;
  bool moving_ = true;
  int moves_ = 0;
  RecordBuffers buffers_;
};

TEST_F(MovingOpenSsl, ClientNoticesNothing) {
  for (const std::string suite : kSuites) {
    SCOPED_TRACE(suite);
    Pair pair;
    listen_then(
        "s_client -unix socket -servername localhost -tls1_3 -groups X25519 -ciphersuites " +
        suite);
    talk(pair.server, suite, {"K\n", "k\n"});
    if (HasFatalFailure()) return;
    EXPECT_EQ(pair.server.session->server_name(), "localhost");
    pair.server.session->close(pair.server.wire);
    pump(pair.server, [] { return false; });
    EXPECT_TRUE(pair.server.session->ended_cleanly()) << pair.server.session->error().text();
    await_end();
  }
  EXPECT_GT(moves_, 1000);
}

TEST_F(MovingOpenSsl, ServerNoticesNothing) {
  write("cert.pem", localhost().chain);
  write("key.pem", localhost().key);
  for (const std::string suite : kSuites) {
    SCOPED_TRACE(suite);
    connect_to("s_server -unix socket -cert cert.pem -key key.pem -tls1_3 -ciphersuites " + suite);
    Pair pair({.ca = localhost().chain, .groups = {"X25519"}});
    pair.client.session->start(pair.client.wire);
    pump(pair.client, [&] { return pair.client.session->handshake_done(); });
    talk(pair.client, suite, {"K\n", "k\n"});
    if (HasFatalFailure()) return;
    tell("Q\n");
    pump(pair.client, [] { return false; });
    await_end();
  }
  EXPECT_GT(moves_, 1000);
}

TEST_F(MovingOpenSsl, TicketsOfAServerAreGood) {
  if (!lacks().empty()) GTEST_SKIP() << "this library resumes nothing";
  moving_ = false;
  write("cert.pem", localhost().chain);
  write("key.pem", localhost().key);
  for (const std::string suite : kSuites) {
    SCOPED_TRACE(suite);
    connect_to("s_server -unix socket -cert cert.pem -key key.pem -rev -tls1_3 -ciphersuites " +
               suite);
    Ticket ticket;
    for (int visit = 0; visit < 4; ++visit) {
      Pair pair({.ca = localhost().chain}, "localhost", ticket);
      pair.client.session->start(pair.client.wire);
      pump(pair.client, [&] { return pair.client.session->handshake_done(); });
      pair.client.seal("abc\n");
      pump(pair.client, [&] { return pair.client.received.ends_with("cba\n"); });
      ASSERT_TRUE(pair.client.received.ends_with("cba\n")) << pair.client.session->error().text();
      EXPECT_EQ(pair.client.session->resumed(), visit > 0) << visit;
      EXPECT_EQ(pair.client.session->cipher(), suite);
      ticket = pair.client.session->ticket();
      ASSERT_TRUE(ticket);
      ::close(socket_);
      socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_un where = address(file("socket"));
      ASSERT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    }
    kill(child_, SIGKILL);
    await_end();
  }
}

TEST_F(MovingOpenSsl, NothingOfTls12IsExported) {
  Pair old({.ca = localhost().chain, .version_max = Version::k12});
  old.shake_hands();
  std::vector<std::byte> image;
  EXPECT_FALSE(old.server.session->export_to(image));
  Pair fresh;
  EXPECT_FALSE(fresh.client.session->export_to(image));
  EXPECT_TRUE(image.empty());
  fresh.shake_hands();
  ASSERT_TRUE(fresh.server.session->export_to(image));
  EXPECT_FALSE(fresh.server.session->export_to(image));
  fresh.server.seal("never");
  EXPECT_TRUE(fresh.server.wire.bytes.empty());
  for (std::size_t size = 0; size < image.size(); ++size) {
    std::vector<std::byte> cut(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(Session::import_from(cut, buffers_)) << size;
  }
  auto made = Session::import_from(image, buffers_);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ((*made)->server_name(), "localhost");
  EXPECT_EQ((*made)->protocol(), "http/1.1");
  EXPECT_EQ((*made)->cipher(), fresh.client.session->cipher());
  EXPECT_EQ(image, std::vector<std::byte>(image.size()));
}

}  // namespace
}  // namespace tls::test
