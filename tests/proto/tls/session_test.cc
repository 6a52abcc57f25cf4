// The engine between two peers of our own: handshakes, records, endings.
#include "proto/tls/session.hh"

#include <algorithm>
#include <cstring>

#include "tests/proto/tls/peers.hh"

namespace tls::test {
namespace {

using Status = Progress::Status;

ClientOptions with(Version version) {
  return {.ca = localhost().chain, .version_max = version};
}

class EachVersion : public testing::TestWithParam<Version> {};
INSTANTIATE_TEST_SUITE_P(Tls, EachVersion, testing::Values(Version::k12, Version::k13),
                         [](const auto& each) {
                           return each.param == Version::k12 ? "v12" : "v13";
                         });

TEST_P(EachVersion, HandshakesAndEchoes) {
  Pair pair(with(GetParam()));
  pair.shake_hands();
  EXPECT_EQ(pair.server.session->version(), GetParam() == Version::k12 ? "TLSv1.2" : "TLSv1.3");
  EXPECT_EQ(pair.server.session->version(), pair.client.session->version());
  EXPECT_EQ(pair.server.session->cipher(), pair.client.session->cipher());
  EXPECT_NE(pair.server.session->cipher().find("GCM"), std::string_view::npos);
  EXPECT_EQ(pair.server.session->server_name(), "localhost");
  EXPECT_EQ(pair.server.session->protocol(), "http/1.1");
  EXPECT_EQ(pair.client.session->protocol(), "http/1.1");
  EXPECT_FALSE(pair.server.session->resumed());
  pair.client.seal("hello");
  pair.server.seal("welcome");
  pair.run();
  EXPECT_EQ(pair.server.received, "hello");
  EXPECT_EQ(pair.client.received, "welcome");
}

TEST_P(EachVersion, WorksOneByteAtATime) {
  Pair pair(with(GetParam()));
  pair.piece = 1;
  pair.shake_hands();
  pair.client.seal("hello");
  pair.server.seal(std::string(20000, 'x'));
  pair.run();
  EXPECT_EQ(pair.server.received, "hello");
  EXPECT_EQ(pair.client.received, std::string(20000, 'x'));
}

// The client's first flight, split at every place; the handshake must end in the same way.
TEST_P(EachVersion, TakesTheClientHelloSplitAnywhere) {
  Wire hello;
  {
    Pair pair(with(GetParam()));
    pair.client.session->start(hello);
  }
  ASSERT_GT(hello.bytes.size(), 100u);
  for (std::size_t split = 1; split < hello.bytes.size(); ++split) {
    Pair pair(with(GetParam()));
    const proto::Bytes all(hello.bytes);
    pair.server.open(all.first(split));
    ASSERT_EQ(pair.server.session->held(), split) << "nothing but the incomplete record";
    ASSERT_TRUE(pair.server.wire.bytes.empty());
    pair.server.open(all.subspan(split));
    ASSERT_EQ(pair.server.status, Status::kWantInput);
    ASSERT_EQ(pair.server.session->held(), 0u);
    ASSERT_FALSE(pair.server.wire.bytes.empty());
  }
}

TEST_P(EachVersion, OpensARecordSplitAnywhere) {
  Pair pair(with(GetParam()));
  pair.shake_hands();
  const std::string text(300, 'r');
  for (std::size_t split = 1; split < 300; ++split) {
    pair.client.seal(text);
    const std::vector<std::byte> sealed = pair.client.wire.take();
    ASSERT_LE(sealed.size(), Session::sealed_size_max(text.size()));
    pair.server.received.clear();
    pair.server.open(proto::Bytes(sealed).first(split));
    ASSERT_EQ(pair.server.session->held(), split);
    ASSERT_TRUE(pair.server.received.empty());
    pair.server.open(proto::Bytes(sealed).subspan(split));
    ASSERT_EQ(pair.server.received, text);
    ASSERT_EQ(pair.server.session->held(), 0u);
  }
}

TEST_P(EachVersion, CarriesAMebibyteEachWay) {
  Pair pair(with(GetParam()));
  pair.piece = 4099;
  pair.shake_hands();
  std::string up(1 << 20, '\0');
  for (std::size_t i = 0; i < up.size(); ++i) up[i] = static_cast<char>(i * 2654435761u >> 13);
  std::string down = up;
  std::reverse(down.begin(), down.end());
  pair.client.seal(up);
  EXPECT_LE(pair.client.wire.bytes.size(), Session::sealed_size_max(up.size()));
  pair.server.seal(down);
  pair.run();
  EXPECT_TRUE(pair.server.received == up);
  EXPECT_TRUE(pair.client.received == down);
}

TEST_P(EachVersion, HandsOutARecordThroughASmallWindow) {
  Pair pair(with(GetParam()));
  pair.shake_hands();
  pair.server.room = 7;
  const std::string text = "a record that is longer than the room for it";
  pair.client.seal(text);
  const std::vector<std::byte> sealed = pair.client.wire.take();
  proto::Bytes rest(sealed);
  std::byte window[7];
  Progress first = pair.server.session->open(rest, window, pair.server.wire);
  EXPECT_EQ(first.status, Status::kPlaintext);
  EXPECT_EQ(first.plaintext, 7u);
  EXPECT_TRUE(rest.empty());
  EXPECT_GE(pair.server.session->held(), text.size() - 7);
  pair.server.open({});
  EXPECT_EQ(pair.server.received, text.substr(7));
  EXPECT_EQ(pair.server.session->held(), 0u);
}

// A sink into a fixed buffer that also holds the plaintext.
struct InPlace final : Sink {
  std::vector<std::byte> buffer = std::vector<std::byte>(Session::sealed_size_max(16384) + 64);
  std::size_t filled = 0;
  void append(proto::Bytes sealed) override {
    std::memcpy(buffer.data() + filled, sealed.data(), sealed.size());
    filled += sealed.size();
  }
};

TEST_P(EachVersion, SealsARecordInPlace) {
  Pair pair(with(GetParam()));
  pair.shake_hands();
  for (const std::size_t size : {1u, 15u, 16u, 17u, 125u, 4096u, 16383u, 16384u}) {
    for (const std::size_t offset : {0u, 1u, 5u, 13u, 29u}) {
      InPlace sink;
      std::string text(size, '\0');
      for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + offset);
      std::memcpy(sink.buffer.data() + offset, text.data(), size);
      pair.client.session->seal({sink.buffer.data() + offset, size}, sink);
      pair.server.received.clear();
      pair.server.open({sink.buffer.data(), sink.filled});
      ASSERT_TRUE(pair.server.received == text) << size << " at " << offset;
    }
  }
}

TEST_P(EachVersion, SealsOneAppendARecord) {
  Pair pair(with(GetParam()));
  pair.shake_hands();
  pair.server.wire.appends = 0;
  pair.server.seal(std::string(16384 * 2 + 1, 'a'));
  EXPECT_EQ(pair.server.wire.appends, 3u);
  pair.server.seal("");
  EXPECT_EQ(pair.server.wire.appends, 3u);
}

TEST_P(EachVersion, TellsCloseFromTruncation) {
  Pair pair(with(GetParam()));
  pair.shake_hands();
  pair.client.seal("bye");
  pair.client.session->close(pair.client.wire);
  const std::size_t size = pair.client.wire.bytes.size();
  pair.client.session->close(pair.client.wire);
  pair.client.seal("after the end");
  EXPECT_EQ(pair.client.wire.bytes.size(), size) << "close_notify is the last thing, and once";
  pair.deliver(pair.client, pair.server);
  EXPECT_EQ(pair.server.received, "bye");
  EXPECT_EQ(pair.server.status, Status::kClosed);
  EXPECT_EQ(pair.server.session->end_of_stream(), Status::kClosed);
  EXPECT_TRUE(pair.server.session->ended_cleanly());
  // The other direction is still open (RFC 8446 section 6.1).
  pair.server.seal("late answer");
  pair.server.session->close(pair.server.wire);
  pair.deliver(pair.server, pair.client);
  EXPECT_EQ(pair.client.received, "late answer");
  EXPECT_EQ(pair.client.status, Status::kClosed);

  Pair cut(with(GetParam()));
  cut.shake_hands();
  EXPECT_EQ(cut.server.session->end_of_stream(), Status::kFailed);
  EXPECT_TRUE(cut.server.session->truncated());
  EXPECT_FALSE(cut.server.session->ended_cleanly());
  EXPECT_EQ(cut.server.session->error().text(), "connection ended without close_notify");
}

TEST_P(EachVersion, DiesOfACorruptedRecord) {
  Pair pair(with(GetParam()));
  pair.shake_hands();
  pair.client.seal("precious");
  pair.client.wire.bytes.back() ^= std::byte{1};
  pair.deliver(pair.client, pair.server);
  EXPECT_EQ(pair.server.status, Status::kFailed);
  EXPECT_TRUE(pair.server.received.empty());
  EXPECT_EQ(pair.server.session->error().text(), "bad record MAC (bad_record_mac alert sent)");
  const std::size_t size = pair.server.wire.bytes.size();
  EXPECT_GT(size, 0u) << "the alert";
  pair.server.seal("never");
  pair.server.session->close(pair.server.wire);
  EXPECT_EQ(pair.server.wire.bytes.size(), size);
  pair.deliver(pair.server, pair.client);
  EXPECT_EQ(pair.client.status, Status::kFailed);
  EXPECT_EQ(pair.client.session->error().text(), "the server gave up: bad_record_mac alert received");
  pair.client.seal("never");
  EXPECT_TRUE(pair.client.wire.bytes.empty());
}

TEST_P(EachVersion, RefusesAnOversizedRecord) {
  Pair pair(with(GetParam()));
  pair.shake_hands();
  const unsigned char header[] = {23, 3, 3, 0x50, 0x00};
  pair.server.open(std::as_bytes(std::span(header)));
  EXPECT_EQ(pair.server.status, Status::kFailed);
  EXPECT_EQ(pair.server.session->error().reason, "record too long");
}

TEST(TlsSession, ChangesKeysAndGoesOn) {
  Pair pair;
  pair.shake_hands();
  for (int i = 0; i < 5; ++i) {
    pair.client.session->rekey(pair.client.wire);
    pair.client.seal("to the server");
    pair.server.seal("to the client");
    pair.run();
  }
  EXPECT_EQ(pair.server.received.size(), 5 * std::strlen("to the server"));
  EXPECT_EQ(pair.client.received.size(), 5 * std::strlen("to the client"));
}

TEST(TlsSession, AnswersKeyUpdatesWithinItsBound) {
  Pair pair;
  pair.shake_hands();
  // Each client's update asks for an answer only when the one before was answered.
  for (int i = 0; i < 40 && pair.server.status != Status::kFailed; ++i) {
    pair.client.session->rekey(pair.client.wire);
    const std::size_t before = pair.server.wire.bytes.size();
    pair.deliver(pair.client, pair.server);
    EXPECT_LE(pair.server.wire.bytes.size() - before, Session::kAnswersMax);
    pair.deliver(pair.server, pair.client);
  }
  EXPECT_EQ(pair.server.session->error().reason, "too many KeyUpdate messages");
}

TEST(TlsSession, LetsDataPayForKeyUpdates) {
  Pair pair;
  pair.shake_hands();
  const std::string record(16384, 'd');
  for (int i = 0; i < 100; ++i) {
    pair.client.session->rekey(pair.client.wire);
    pair.client.seal(record);
    pair.run();
  }
  EXPECT_EQ(pair.server.received.size(), 100 * record.size());
}

TEST(TlsSession, RecognisesPlainHttp) {
  for (const char* request : {"GET / HTTP/1.1\r\n", "POST /x HTTP/1.1\r\n", "OPTIONS", "P"}) {
    Pair pair;
    pair.server.open(proto::as_bytes(request));
    EXPECT_EQ(pair.server.status, Status::kFailed) << request;
    EXPECT_TRUE(pair.server.session->plain_http());
    EXPECT_TRUE(pair.server.wire.bytes.empty()) << "an answer in plaintext is possible";
    EXPECT_EQ(pair.server.session->error().text(), "plain HTTP on the TLS port");
  }
}

TEST(TlsSession, SaysWhenTheClientLeavesInTheHandshake) {
  Pair pair;
  pair.client.session->start(pair.client.wire);
  pair.deliver(pair.client, pair.server);
  EXPECT_EQ(pair.server.session->end_of_stream(), Status::kFailed);
  EXPECT_EQ(pair.server.session->error().reason, "connection ended during the TLS handshake");
}

TEST(TlsSession, SealsNothingBeforeTheHandshake) {
  Pair pair;
  pair.server.seal("early");
  pair.server.session->close(pair.server.wire);
  EXPECT_TRUE(pair.server.wire.bytes.empty());
}

}  // namespace
}  // namespace tls::test
