// The socket on the real ring, over loopback with small buffers everywhere.
#include <netinet/tcp.h>

#include <algorithm>
#include <deque>

#include "tests/uring/real_ring.hh"
#include "tests/uring/socket_owner.hh"
#include "uring/socket.hh"

using uring::Socket;

namespace {

using Owner = SocketOwner<RealRing>;

// The far end of a pair: writes one stream and checks what it reads of another.
class RealPeer {
 public:
  RealPeer(OwnedDescriptor end, std::size_t stream, std::size_t total)
      : end_(std::move(end)), stream_(stream), total_(total) {}

  void write_some(Dice& dice) {
    if (written_ == total_) return;
    const std::size_t size = std::min(dice.of_any_size(1, 20'000), total_ - written_);
    const auto bytes = stream_bytes(stream_, written_, size);
    const auto done = send(end_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done > 0) written_ += static_cast<std::size_t>(done);
    if (written_ == total_) shutdown(end_.get(), SHUT_WR);
  }
  void read_some(Dice& dice) {
    std::vector<std::byte> bytes(dice.of_any_size(1, 8192));
    const auto size = recv(end_.get(), bytes.data(), bytes.size(), 0);
    if (size == 0) saw_end_ = true;
    if (size < 0) saw_reset_ = saw_reset_ || errno == ECONNRESET;
    if (size <= 0) return;
    bytes.resize(static_cast<std::size_t>(size));
    EXPECT_EQ(first_wrong(bytes, stream_, read_), bytes.size());
    read_ += bytes.size();
  }
  void close() { end_.close(); }
  int descriptor() const { return end_.get(); }
  std::size_t read() const { return read_; }
  bool saw_end() const { return saw_end_; }
  bool saw_reset() const { return saw_reset_; }

 private:
  OwnedDescriptor end_;
  std::size_t stream_;
  std::size_t total_;
  std::size_t written_ = 0;
  std::size_t read_ = 0;
  bool saw_end_ = false;
  bool saw_reset_ = false;
};

class RealSocket : public testing::TestWithParam<bool> {
 protected:
  RealRing ring{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Receive, RealSocket, testing::Bool(), [](const auto& one_shot) {
  return one_shot.param ? "OneShot" : "Capped";
});

TEST_P(RealSocket, CarriesEveryByteBothWays) {
  RealPair pair;
  Owner owner(ring, pair.local.release());
  RealPeer peer(std::move(pair.peer), 0, 400'000);
  owner.receive_all(Socket::Arming::kStream);
  owner.send_all(300'000);
  const auto world = [&] {
    peer.write_some(ring.dice());
    peer.read_some(ring.dice());
  };
  EXPECT_TRUE(ring.turn_until(
      [&] { return owner.socket().end_of_stream() && peer.read() == 300'000; }, world));
  EXPECT_EQ(owner.received_bytes(), 400'000u);
  owner.close_and_wait();
  EXPECT_TRUE(ring.turn_until([&] { return peer.saw_end(); }, world));
  ring.expect_quiet();
}

TEST_P(RealSocket, ServesManyWithACompletionQueueThatOverflows) {
  std::deque<Owner> owners;
  std::deque<RealPeer> peers;
  for (std::size_t stream = 0; stream < 24; ++stream) {
    RealPair pair;
    owners.emplace_back(ring, pair.local.release(), stream);
    peers.emplace_back(std::move(pair.peer), stream, 30'000);
    owners.back().receive_all(Socket::Arming::kStream);
    owners.back().send_all(30'000);
  }
  const auto all_done = [&] {
    return std::ranges::all_of(owners,
                               [](auto& owner) { return owner.socket().end_of_stream(); }) &&
           std::ranges::all_of(peers, [](auto& peer) { return peer.read() == 30'000; });
  };
  EXPECT_TRUE(ring.turn_until(all_done, [&] {
    for (RealPeer& peer : peers) {
      peer.write_some(ring.dice());
      peer.read_some(ring.dice());
    }
  }));
  for (Owner& owner : owners) {
    EXPECT_EQ(owner.received_bytes(), 30'000u);
    owner.close_and_wait();
  }
  ring.expect_quiet();
}

TEST_P(RealSocket, ClosesInOrderAtAnyMoment) {
  for_each_seed(60, [&](std::uint64_t seed) {
    Dice dice(seed);
    RealPair pair;
    Owner owner(ring, pair.local.release());
    RealPeer peer(std::move(pair.peer), 0, 1'000'000);
    owner.receive_all(Socket::Arming::kStream);
    owner.send_all(1'000'000);
    if (dice.chance(50)) owner.socket().watch_hangup();
    const std::size_t turns = dice.between(0, 20);
    for (std::size_t turn = 0; turn < turns; ++turn) {
      peer.write_some(dice);
      if (dice.chance(50)) peer.read_some(dice);
      if (dice.chance(5)) owner.socket().disarm();
      if (dice.chance(3)) peer.close();
      ring.loop.turn(std::chrono::milliseconds(0));
    }
    owner.close_and_wait();
    ring.expect_quiet();
  });
}

TEST_P(RealSocket, FindsThatThePeerIsGoneInMidSend) {
  RealPair pair;
  Owner owner(ring, pair.local.release());
  owner.send_all(10'000'000);
  EXPECT_TRUE(ring.turn_until([&] { return owner.socket().sending(); }));
  pair.peer.close();
  EXPECT_TRUE(ring.turn_until([&] { return owner.socket().send_error() != 0; }));
  owner.close_and_wait();
  ring.expect_quiet();
}

TEST_P(RealSocket, TellsThatAWatchedPeerLeft) {
  RealPair pair;
  Owner owner(ring, pair.local.release());
  owner.socket().watch_hangup();
  ring.loop.turn(std::chrono::milliseconds(0));
  owner.socket().unwatch_hangup();
  owner.socket().watch_hangup();
  ring.loop.turn(std::chrono::milliseconds(1));
  EXPECT_EQ(owner.times_left(), 0u);
  pair.peer.close();
  EXPECT_TRUE(ring.turn_until([&] { return owner.times_left() == 1; }));
  owner.close_and_wait();
  ring.expect_quiet();
}

TEST_P(RealSocket, ResetsThePeerWhenItIsToldTo) {
  RealPair pair;
  Owner owner(ring, pair.local.release());
  RealPeer peer(std::move(pair.peer), 0, 0);
  owner.receive_all(Socket::Arming::kStream);
  owner.socket().reset_on_close();
  ring.loop.turn(std::chrono::milliseconds(0));
  owner.close_and_wait();
  EXPECT_TRUE(ring.turn_until([&] { return peer.saw_end() || peer.saw_reset(); },
                              [&] { peer.read_some(ring.dice()); }));
  EXPECT_TRUE(peer.saw_reset());
  ring.expect_quiet();
}

struct RealConnect : testing::Test {
  void start(const OwnedDescriptor& listener, const uring::TcpOptions& options = {}) {
    address = loopback_address(listener.get());
    owner.socket().connect(reinterpret_cast<const sockaddr*>(&address), sizeof address, connected,
                           options);
  }
  int option(int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(getsockopt(owner.socket().descriptor(), level, name, &value, &size), 0);
    return value;
  }
  bool ends() {
    return ring.turn_until([&] { return connected.is_set(); });
  }

  RealRing ring;
  Owner owner{ring, -1};
  uring::Event connected{ring.loop.ready()};
  sockaddr_in address{};
};

TEST_F(RealConnect, ReachesAListener) {
  const OwnedDescriptor listener = listen_on_loopback();
  start(listener);
  ASSERT_TRUE(ends());
  EXPECT_EQ(owner.socket().connect_error(), 0);
  owner.close_and_wait();
  ring.expect_quiet();
}

TEST_F(RealConnect, HasTheOptionsThatItIsGiven) {
  const OwnedDescriptor listener = listen_on_loopback();
  start(listener, {.user_timeout = std::chrono::milliseconds(1500),
                   .keep_alive = {.idle = std::chrono::seconds(60),
                                  .interval = std::chrono::seconds(5),
                                  .probes = 4},
                   .unsent_bytes = 16384});
  ASSERT_TRUE(ends());
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 1500);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 5);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 4);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NOTSENT_LOWAT), 16384);
  owner.close_and_wait();
  ring.expect_quiet();
}

TEST_F(RealConnect, HasFewBytesUnsentAndNothingElseWhereItIsGivenNone) {
  const OwnedDescriptor listener = listen_on_loopback();
  start(listener);
  ASSERT_TRUE(ends());
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NOTSENT_LOWAT), 256 * 1024);
  owner.close_and_wait();
  ring.expect_quiet();
}

TEST_F(RealConnect, TellsThatNobodyListens) {
  OwnedDescriptor listener = listen_on_loopback();
  address = loopback_address(listener.get());
  listener.close();
  owner.socket().connect(reinterpret_cast<const sockaddr*>(&address), sizeof address, connected);
  ASSERT_TRUE(ends());
  EXPECT_EQ(owner.socket().connect_error(), ECONNREFUSED);
  owner.close_and_wait();
  ring.expect_quiet();
}

TEST_F(RealConnect, CanBeCalledOffWhileNobodyAnswers) {
  // A listener whose queue is full drops what comes.
  const OwnedDescriptor listener = listen_on_loopback(0);
  const OwnedDescriptor in_queue = connect_to(listener.get());
  start(listener);
  for (int turns = 0; turns < 5; ++turns) ring.loop.turn(std::chrono::milliseconds(1));
  EXPECT_FALSE(connected.is_set());
  owner.socket().cancel_connect();
  ASSERT_TRUE(ends());
  EXPECT_EQ(owner.socket().connect_error(), ECANCELED);
  owner.close_and_wait();
  ring.expect_quiet();
}

}  // namespace
