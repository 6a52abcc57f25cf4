// What a session is counted with in an account of memory is no less than what it has.
#include <malloc.h>

#include "proto/tls/record_buffers.hh"
#include "tests/proto/tls/peers.hh"

namespace tls::test {
namespace {

std::size_t allocated() {
  const struct mallinfo2 now = mallinfo2();
  return now.uordblks + now.hblkhd;
}

// What goes with it.
std::size_t freed_with(std::unique_ptr<Session> session) {
  const std::size_t before = allocated();
  session.reset();
  const std::size_t after = allocated();
  return before > after ? before - after : 0;
}

constexpr std::size_t kOwnBuffersBytes = 64 * 1024;

class SessionMemory : public testing::TestWithParam<Version> {
 protected:
  ClientOptions options() const { return {.ca = localhost().chain, .version_max = GetParam()}; }
};

TEST_P(SessionMemory, IsNoMoreThanWhatIsCounted) {
  if (allocated() == 0) GTEST_SKIP() << "another allocator, as a sanitizer's";
  Pair open(options());
  open.shake_hands();
  const std::size_t of_server = freed_with(std::move(open.server.session));
  // What is small the allocator keeps for the next, and says nothing of it.
  if (GetParam() == Version::k12) {
    EXPECT_GT(of_server, 0u);
  }
  // Without buffers of a shard each has its own, with the two keys that were expanded.
  const std::size_t counted =
      GetParam() == Version::k12 ? Session::kBytes : Session::kEstablishedBytes + kOwnBuffersBytes;
  EXPECT_LE(of_server, counted);
  EXPECT_LE(freed_with(std::move(open.client.session)), counted);

  Pair begun(options());
  begun.client.session->start(begun.client.wire);
  begun.deliver(begun.client, begun.server);
  ASSERT_FALSE(begun.server.session->handshake_done());
  EXPECT_LE(freed_with(std::move(begun.server.session)),
            Session::kBytes + Session::kHandshakeBytes);
  EXPECT_LE(freed_with(std::move(begun.client.session)),
            Session::kBytes + Session::kHandshakeBytes);
}

TEST_P(SessionMemory, IsCountedUntilItGoes) {
  std::atomic<std::size_t> account = 0;
  {
    RecordBuffers buffers({.own = &account});
    Pair pair(options());
    pair.contexts = ServerContexts::load({&localhost(), 1}, pair.tickets, &buffers).value();
    pair.context = ClientContext::load(options(), &buffers).value();
    pair.server.session = std::make_unique<Session>(*pair.contexts);
    pair.client.session = std::make_unique<Session>(*pair.context, "localhost");
    EXPECT_GE(account, Session::kBytes + Session::kHandshakeBytes);  // the client's
    pair.client.session->start(pair.client.wire);
    pair.deliver(pair.client, pair.server);
    EXPECT_GE(account, 2 * (Session::kBytes + Session::kHandshakeBytes));
    pair.run();
    ASSERT_TRUE(pair.server.session->handshake_done());
    pair.client.seal("x");
    pair.run();
    EXPECT_GE(account,
              2 * (GetParam() == Version::k12 ? Session::kBytes : Session::kEstablishedBytes));
    pair.server.session.reset();
    pair.client.session.reset();
    EXPECT_LT(account, Session::kBytes + RecordBuffers::kLargeKept * 20'000);
  }
  EXPECT_EQ(account, 0u);
}

INSTANTIATE_TEST_SUITE_P(Versions, SessionMemory, testing::Values(Version::k12, Version::k13));

}  // namespace
}  // namespace tls::test
