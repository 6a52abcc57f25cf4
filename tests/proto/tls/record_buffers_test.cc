// The memory of records: used again, bounded, none held by idle sessions, and outliving their
// contexts.
#include "proto/tls/record_buffers.hh"

#include <cstdint>
#include <cstring>
#include <vector>

#include "proto/tls/library.hh"
#include "tests/proto/tls/peers.hh"

namespace tls::test {
namespace {

bool keeps() {
  return RecordBuffers::kSmallKept > 0;
}

// A Pair whose contexts share the record buffers, which outlive it.
struct BufferedPair : Pair {
  BufferedPair(RecordBuffers& buffers, Version version)
      : Pair({.ca = localhost().chain, .version_max = version}) {
    contexts = ServerContexts::load({&localhost(), 1}, tickets, &buffers).value();
    context =
        ClientContext::load({.ca = localhost().chain, .version_max = version}, &buffers).value();
    server.session = std::make_unique<Session>(*contexts);
    client.session = std::make_unique<Session>(*context, "localhost");
  }

  void exchange(std::size_t size) {
    const std::string text(size, 'x');
    client.received.clear();
    server.received.clear();
    client.seal(text);
    run();
    server.seal(text);
    run();
    ASSERT_EQ(server.received, text);
    ASSERT_EQ(client.received, text);
  }
};

TEST(RecordBuffers, HandOutWhatWasAskedFor) {
  RecordBuffers buffers;
  for (const std::size_t size :
       {std::size_t{1}, RecordBuffers::kSmallBytes, RecordBuffers::kSmallBytes + 1,
        RecordBuffers::kLargeBytes, RecordBuffers::kLargeBytes + 1, std::size_t{100000}}) {
    void* const buffer = buffers.take(size);
    ASSERT_NE(buffer, nullptr) << size;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer) % alignof(std::max_align_t), 0u);
    std::memset(buffer, 0xff, size);
    EXPECT_EQ(buffers.in_use(), 1u);
    buffers.give_back(buffer);
    EXPECT_EQ(buffers.in_use(), 0u);
  }
  EXPECT_EQ(buffers.kept(), keeps() ? 2u : 0u) << "one of each size";
}

TEST(RecordBuffers, HandOutTheWarmestAgain) {
  if (!keeps()) GTEST_SKIP() << "nothing is kept with AddressSanitizer";
  RecordBuffers buffers;
  void* const first = buffers.take(100);
  void* const second = buffers.take(100);
  buffers.give_back(first);
  buffers.give_back(second);
  EXPECT_EQ(buffers.take(RecordBuffers::kSmallBytes), second);
  EXPECT_EQ(buffers.take(1), first);
  EXPECT_EQ(buffers.allocated(), 2u);
  buffers.give_back(first);
  buffers.give_back(second);
}

TEST(RecordBuffers, KeepNoMoreThanTheirBounds) {
  RecordBuffers buffers;
  const struct {
    std::size_t bytes;
    std::size_t kept;
  } cases[] = {{RecordBuffers::kSmallBytes, RecordBuffers::kSmallKept},
               {RecordBuffers::kLargeBytes, RecordBuffers::kLargeKept},
               {RecordBuffers::kLargeBytes + 1, 0}};
  for (const auto& each : cases) {
    const std::size_t before = buffers.kept();
    std::vector<void*> taken;
    for (std::size_t i = 0; i < 100; ++i) taken.push_back(buffers.take(each.bytes));
    for (void* buffer : taken) buffers.give_back(buffer);
    EXPECT_EQ(buffers.kept() - before, each.kept) << each.bytes;
  }
}

TEST(RecordBuffers, ServeASteadyStateWithoutAllocations) {
  for (const Version version : {Version::k12, Version::k13}) {
    RecordBuffers buffers;
    BufferedPair pair(buffers, version);
    pair.shake_hands();
    constexpr std::size_t kSizes[] = {1, 200, 900, 4000, Session::kRecordPlaintextMax, 50000};
    for (const std::size_t size : kSizes) pair.exchange(size);
    const std::size_t before = buffers.allocated();
    ASSERT_GT(before, 0u) << "the library asks for them here";
    for (int round = 0; round < 10; ++round) {
      for (const std::size_t size : kSizes) pair.exchange(size);
    }
    // The library: each record, sealed and opened. Else those that are sealed, but for the least,
    // and those that are full, whose type has no room where they are opened.
    const std::size_t each_way = version == Version::k12 ? 2 * (5 + 4) : (5 + 4 - 1) + 4;
    EXPECT_EQ(buffers.allocated() - before, keeps() ? 0 : 10 * 2 * each_way);
  }
}

TEST(RecordBuffers, LieWithNoIdleSession) {
  for (const Version version : {Version::k12, Version::k13}) {
    RecordBuffers buffers;
    BufferedPair pair(buffers, version);
    pair.shake_hands();
    EXPECT_EQ(buffers.in_use(), 0u) << "after the handshake";
    pair.exchange(20000);
    EXPECT_EQ(buffers.in_use(), 0u) << "after records";
    pair.client.seal("half a record");
    const std::vector<std::byte> record = pair.client.wire.take();
    pair.server.open(proto::Bytes(record).first(record.size() / 2));
    EXPECT_EQ(buffers.in_use(), 1u) << "in mid-record";
    pair.server.open(proto::Bytes(record).subspan(record.size() / 2));
    EXPECT_EQ(pair.server.received.substr(20000), "half a record");
    EXPECT_EQ(buffers.in_use(), 0u);
  }
}

// A session that goes in mid-record gives its buffer back, and needs no context for that.
TEST(RecordBuffers, OutliveContextsAndThenSessionsAndTickets) {
  for (const Version version : {Version::k12, Version::k13}) {
    Ticket ticket;
    {
      RecordBuffers buffers;
      BufferedPair pair(buffers, version);
      pair.contexts.reset();
      pair.context.reset();
      pair.shake_hands();
      pair.exchange(300);
      pair.client.seal("half a record");
      const std::vector<std::byte> record = pair.client.wire.take();
      pair.server.open(proto::Bytes(record).first(record.size() / 2));
      EXPECT_EQ(buffers.in_use(), 1u);
      ticket = pair.client.session->ticket();
      pair.server.session.reset();
      EXPECT_EQ(buffers.in_use(), 0u);
      pair.client.session.reset();
    }
    const Ticket copy = ticket;
    ticket = {};
    EXPECT_EQ(static_cast<bool>(copy), lacks().empty());
  }
}

// The handshake's own buffers are of the same two kinds: whatever way it ends, all come back.
TEST(RecordBuffers, ComeBackFromHandshakesThatEndEarly) {
  RecordBuffers buffers;
  for (const std::size_t bytes : {std::size_t{3}, std::size_t{60}, std::size_t{200}}) {
    BufferedPair pair(buffers, Version::k13);
    pair.client.session->start(pair.client.wire);
    const std::vector<std::byte> hello = pair.client.wire.take();
    pair.server.open(proto::Bytes(hello).first(bytes));
    pair.server.session.reset();
    pair.client.session.reset();
    EXPECT_EQ(buffers.in_use(), 0u) << bytes;
  }
  BufferedPair pair(buffers, Version::k12);
  pair.client.session->start(pair.client.wire);
  pair.deliver(pair.client, pair.server);
  std::vector<std::byte> answer = pair.server.wire.take();
  answer[answer.size() / 2] ^= std::byte{1};
  pair.client.open(answer);
  EXPECT_TRUE(pair.client.session->failed());
  pair.client.session.reset();
  pair.server.session.reset();
  EXPECT_EQ(buffers.in_use(), 0u);
}

}  // namespace
}  // namespace tls::test
