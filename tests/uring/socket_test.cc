// A socket on the simulated kernel: bytes, credit, ends and closing, under every kind of trouble
// that a seed brings.
#include "uring/socket.hh"

#include <algorithm>
#include <optional>

#include "tests/uring/simulation.hh"
#include "tests/uring/socket_owner.hh"

using uring::Socket;

namespace {

struct Form {
  const char* name;
  bool byte_cap;
  Socket::Arming arming;
};

constexpr Form kForms[] = {
    {"Capped", true, Socket::Arming::kStream},
    {"OneShot", false, Socket::Arming::kStream},
    {"Once", true, Socket::Arming::kOnce},
};

class SocketForms : public testing::TestWithParam<Form> {};

INSTANTIATE_TEST_SUITE_P(Receive, SocketForms, testing::ValuesIn(kForms),
                         [](const auto& form) { return form.param.name; });

// Writes what is left of `total` bytes of a stream, some at a time, then the end.
class Writer {
 public:
  Writer(SimulatedKernel::Stream peer, std::size_t stream, std::size_t total)
      : peer_(peer), stream_(stream), total_(total) {}

  void act(Dice& dice) {
    if (peer_->finished() || dice.chance(40)) return;
    const std::size_t size = std::min(dice.of_any_size(1, 8192), total_ - written_);
    written_ += peer_->write(stream_bytes(stream_, written_, size));
    if (written_ == total_) peer_->shutdown_write();
  }

 private:
  SimulatedKernel::Stream peer_;
  std::size_t stream_;
  std::size_t total_;
  std::size_t written_ = 0;
};

TEST_P(SocketForms, ReceivesEveryByteInOrderAndKeepsToItsCredit) {
  for_each_seed(150, [](std::uint64_t seed) {
    Simulation simulation(seed, {.byte_cap = GetParam().byte_cap});
    Dice& dice = simulation.kernel.dice();
    const std::size_t total = dice.of_any_size(0, 200'000);
    SimulatedKernel::Stream peer;
    SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
    owner.receive_all(GetParam().arming);
    Writer writer(peer, 0, total);
    EXPECT_TRUE(simulation.turn_until([&] { return owner.socket().end_of_stream(); },
                                      [&] { writer.act(dice); }));
    EXPECT_EQ(owner.received_bytes(), total);
    owner.close_and_wait();
    simulation.expect_quiet();
    EXPECT_TRUE(peer->saw_end());
  });
}

// The others stay untouched, and those that are used stay in the processor's caches.
TEST_P(SocketForms, ReceivesIntoFewBuffersWhileFewAreNeeded) {
  const SimulationOptions calm{.byte_cap = GetParam().byte_cap, .calm = true, .window = 1024};
  Simulation simulation(1, calm, {128, 256, 32, 4096});
  constexpr std::size_t kTotal = 400'000;
  SimulatedKernel::Stream peer;
  SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
  owner.receive_all(GetParam().arming);
  Writer writer(peer, 0, kTotal);
  EXPECT_TRUE(simulation.turn_until([&] { return owner.socket().end_of_stream(); },
                                    [&] { writer.act(simulation.dice()); }));
  EXPECT_EQ(owner.received_bytes(), kTotal);
  using uring::ReceiveBuffers;
  EXPECT_LE(owner.buffers_seen(), ReceiveBuffers::kSmallInRing + ReceiveBuffers::kBulkInRing + 8);
  owner.close_and_wait();
  simulation.expect_quiet();
}

TEST_P(SocketForms, ShareTwoBuffersFairlyAmongManySockets) {
  for_each_seed(40, [](std::uint64_t seed) {
    Simulation simulation(seed, {.byte_cap = GetParam().byte_cap}, {2, 128, 1, 1024});
    Dice& dice = simulation.kernel.dice();
    std::deque<SocketOwner<Simulation>> owners;
    std::vector<Writer> writers;
    for (std::size_t stream = 0; stream < 8; ++stream) {
      SimulatedKernel::Stream peer;
      owners.emplace_back(simulation, simulation.kernel.open_stream(peer), stream);
      owners.back().receive_all(GetParam().arming);
      writers.emplace_back(peer, stream, 6000);
    }
    const auto all_ended = [&] {
      return std::ranges::all_of(owners,
                                 [](auto& owner) { return owner.socket().end_of_stream(); });
    };
    EXPECT_TRUE(simulation.turn_until(all_ended, [&] {
      for (Writer& writer : writers) writer.act(dice);
    }));
    for (auto& owner : owners) {
      EXPECT_EQ(owner.received_bytes(), 6000u);
      owner.close_and_wait();
    }
    simulation.expect_quiet();
  });
}

TEST(Socket, SendsEveryByteInOrderToASlowPeer) {
  for_each_seed(150, [](std::uint64_t seed) {
    Simulation simulation(seed);
    Dice& dice = simulation.kernel.dice();
    SimulatedKernel::Stream peer;
    SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
    const std::size_t total = dice.of_any_size(1, 100'000);
    owner.send_all(total);
    std::vector<std::byte> arrived;
    EXPECT_TRUE(simulation.turn_until([&] { return arrived.size() == total; },
                                      [&] {
                                        const auto more = peer->read(dice.of_any_size(0, 5000));
                                        arrived.insert(arrived.end(), more.begin(), more.end());
                                      }));
    EXPECT_TRUE(simulation.turn_until([&] { return !owner.socket().sending(); }));
    EXPECT_EQ(first_wrong(arrived, 0, 0), total);
    EXPECT_EQ(owner.socket().send_error(), 0);
    owner.close_and_wait();
    simulation.expect_quiet();
  });
}

TEST(Socket, EndsWithAnErrorWhenThePeerIsGoneInMidSend) {
  for_each_seed(150, [](std::uint64_t seed) {
    Simulation simulation(seed, {.window = 1024});
    Dice& dice = simulation.kernel.dice();
    SimulatedKernel::Stream peer;
    SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
    owner.send_all(1'000'000);
    std::size_t until_gone = dice.between(0, 30);
    const auto world = [&] {
      peer->read(dice.of_any_size(0, 500));
      if (until_gone-- == 0) dice.chance(50) ? peer->reset() : peer->close();
    };
    EXPECT_TRUE(simulation.turn_until([&] { return owner.socket().send_error() != 0; }, world));
    EXPECT_FALSE(owner.socket().sending());
    owner.close_and_wait();
    simulation.expect_quiet();
  });
}

TEST_P(SocketForms, ClosesInOrderAtAnyMoment) {
  for_each_seed(300, [](std::uint64_t seed) {
    Simulation simulation(seed, {.byte_cap = GetParam().byte_cap, .window = 2048});
    Dice& dice = simulation.kernel.dice();
    SimulatedKernel::Stream peer;
    SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
    owner.receive_all(GetParam().arming);
    owner.send_all(1'000'000);
    if (dice.chance(50)) owner.socket().watch_hangup();
    Writer writer(peer, 0, 1'000'000);
    for (std::size_t turns = dice.between(0, 40); turns > 0; --turns) {
      writer.act(dice);
      peer->read(dice.of_any_size(0, 2000));
      if (dice.chance(5)) owner.socket().disarm();
      if (dice.chance(2)) peer->reset();
      simulation.loop.turn(std::chrono::milliseconds(1));
    }
    owner.close_and_wait();
    simulation.expect_quiet();
    EXPECT_EQ(simulation.kernel.open_descriptors(), 0u);
  });
}

TEST_P(SocketForms, GoesOnAfterBeingDisarmed) {
  for_each_seed(150, [](std::uint64_t seed) {
    Simulation simulation(seed, {.byte_cap = GetParam().byte_cap});
    Dice& dice = simulation.kernel.dice();
    SimulatedKernel::Stream peer;
    SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
    owner.receive_all(GetParam().arming);
    Writer writer(peer, 0, 20'000);
    EXPECT_TRUE(simulation.turn_until([&] { return owner.socket().end_of_stream(); },
                                      [&] {
                                        writer.act(dice);
                                        if (dice.chance(20)) owner.socket().disarm();
                                        owner.arm();
                                      }));
    EXPECT_EQ(owner.received_bytes(), 20'000u);
    owner.close_and_wait();
    simulation.expect_quiet();
  });
}

TEST(Socket, TellsThatAWatchedPeerLeft) {
  for_each_seed(50, [](std::uint64_t seed) {
    Simulation simulation(seed);
    SimulatedKernel::Stream peer;
    SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
    owner.socket().watch_hangup();
    peer->write(stream_bytes(0, 0, 100));
    for (int turns = 0; turns < 10; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_EQ(owner.times_left(), 0u);
    simulation.kernel.dice().chance(50) ? peer->close() : peer->reset();
    EXPECT_TRUE(simulation.turn_until([&] { return owner.times_left() == 1; }));
    owner.close_and_wait();
    simulation.expect_quiet();
  });
}

// A watched peer has gone, and whoever is to be told has not run yet.
class SocketWhosePeerHasGone : public testing::Test {
 protected:
  static void for_each_way(
      const std::function<void(Simulation&, SocketOwner<Simulation>&)>& check) {
    for_each_seed(50, [&](std::uint64_t seed) {
      Simulation simulation(seed);
      SimulatedKernel::Stream peer;
      SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
      owner.socket().watch_hangup(seed % 2 == 0 ? Socket::Hangup::kOfAll
                                                : Socket::Hangup::kOfStream);
      simulation.loop.turn(std::chrono::milliseconds(1));
      peer->reset();
      EXPECT_TRUE(simulation.turn_until([&] { return owner.socket().peer_gone(); }));
      EXPECT_EQ(owner.times_left(), 0u);
      check(simulation, owner);
      owner.close_and_wait();
      simulation.expect_quiet();
    });
  }
  static void turn_on(Simulation& simulation) {
    for (int turns = 0; turns < 20; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
  }
};

TEST_F(SocketWhosePeerHasGone, TellsItInTheNextTurn) {
  for_each_way([](Simulation& simulation, SocketOwner<Simulation>& owner) {
    simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_EQ(owner.times_left(), 1u);
    turn_on(simulation);
    EXPECT_EQ(owner.times_left(), 1u);
  });
}

TEST_F(SocketWhosePeerHasGone, TellsNobodyWhoIsForgotten) {
  for_each_way([](Simulation& simulation, SocketOwner<Simulation>& owner) {
    owner.socket().forget_left();
    turn_on(simulation);
    EXPECT_EQ(owner.times_left(), 0u);
  });
}

TEST_F(SocketWhosePeerHasGone, TellsOnceWhoWatchesAnew) {
  for_each_way([](Simulation& simulation, SocketOwner<Simulation>& owner) {
    owner.tell_left();
    owner.socket().watch_hangup();
    EXPECT_TRUE(simulation.turn_until([&] { return owner.times_left() > 0; }));
    turn_on(simulation);
    EXPECT_EQ(owner.times_left(), 1u);
  });
}

TEST_F(SocketWhosePeerHasGone, MayCloseBeforeItIsTold) {
  for_each_way([](Simulation&, SocketOwner<Simulation>& owner) { owner.close_and_wait(); });
}

TEST(Socket, WatchesAgainRightAfterItStoppedWatching) {
  for_each_seed(50, [](std::uint64_t seed) {
    Simulation simulation(seed);
    SimulatedKernel::Stream peer;
    SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
    owner.socket().watch_hangup();
    simulation.loop.turn(std::chrono::milliseconds(1));
    owner.socket().unwatch_hangup();
    owner.socket().watch_hangup();
    simulation.loop.turn(std::chrono::milliseconds(1));
    peer->shutdown_write();
    EXPECT_TRUE(simulation.turn_until([&] { return owner.times_left() == 1; }));
    owner.close_and_wait();
    simulation.expect_quiet();
  });
}

TEST(Socket, TellsAnEndOfAllFromAnEndOfTheStream) {
  for_each_seed(50, [](std::uint64_t seed) {
    Simulation simulation(seed);
    SimulatedKernel::Stream peer;
    SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
    owner.socket().watch_hangup();  // of the stream; asked for otherwise before it has begun
    owner.socket().watch_hangup(Socket::Hangup::kOfAll);
    peer->shutdown_write();
    for (int turns = 0; turns < 50; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_EQ(owner.times_left(), 0u);
    // It is told of the stream's end as well, but not again and again.
    EXPECT_LE(simulation.loop.counters().completions, 4u);
    peer->reset();
    EXPECT_TRUE(simulation.turn_until([&] { return owner.times_left() == 1; }));
    EXPECT_TRUE(owner.socket().peer_gone());
    owner.close_and_wait();
    simulation.expect_quiet();
  });
}

TEST(Socket, TakesBulkBuffersWhileReceivesFillThem) {
  Simulation simulation(1, {.calm = true, .window = 1 << 20}, {4, 4096, 2, 65536});
  SimulatedKernel::Stream peer;
  SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
  owner.receive_all(Socket::Arming::kStream, 256 * 1024);
  peer->write(stream_bytes(0, 0, 100));
  simulation.loop.turn(std::chrono::milliseconds(1));
  EXPECT_EQ(owner.last_received().buffer.group, uring::BufferGroup::kSmall);
  peer->write(stream_bytes(0, 100, 400'000));
  EXPECT_TRUE(simulation.turn_until([&] { return owner.received_bytes() == 400'100; }));
  EXPECT_EQ(owner.last_received().buffer.group, uring::BufferGroup::kBulk);
  // Small messages again: small buffers at the next time that it is armed.
  std::size_t written = 400'100;
  const auto world = [&] { written += peer->write(stream_bytes(0, written, 200)); };
  EXPECT_TRUE(simulation.turn_until(
      [&] { return owner.last_received().buffer.group == uring::BufferGroup::kSmall; }, world));
  owner.close_and_wait();
  simulation.expect_quiet();
}

uring::Task<> close_and_destroy(std::optional<SocketOwner<Simulation>>& owner, uring::Event& go) {
  co_await go.wait();
  co_await owner->socket().close();
  owner.reset();
}

TEST(Socket, IsNotClosedBeforeItsOwnerHasBeenToldWhatCameInThatTurn) {
  Simulation simulation(1, {.calm = true});
  SimulatedKernel::Stream peer;
  std::optional<SocketOwner<Simulation>> owner;
  owner.emplace(simulation, simulation.kernel.open_stream(peer));
  owner->receive_all(Socket::Arming::kOnce);
  uring::Event go(simulation.loop.ready());
  uring::Task<> closing = close_and_destroy(owner, go);
  closing.start();
  go.set();  // runs ahead of what the next turn's completions make ready
  peer->write(stream_bytes(0, 0, 10));
  EXPECT_TRUE(simulation.turn_until([&] { return closing.done(); }));
  simulation.expect_quiet();
}

TEST(Socket, ResetsThePeerWhenItIsToldTo) {
  Simulation simulation(1, {.calm = true});
  SimulatedKernel::Stream peer;
  SocketOwner owner(simulation, simulation.kernel.open_stream(peer));
  owner.socket().reset_on_close();
  owner.close_and_wait();
  EXPECT_TRUE(peer->saw_reset());
  simulation.expect_quiet();
}

}  // namespace
