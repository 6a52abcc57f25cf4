// Connecting on the simulated kernel: each answer, and being called off at any moment.
#include <gtest/gtest.h>

#include "tests/uring/simulation.hh"
#include "tests/uring/socket_owner.hh"

using std::chrono::milliseconds;

namespace {

struct Connecting {
  explicit Connecting(std::uint64_t seed)
      : simulation(seed), owner(simulation, -1), connected(simulation.loop.ready()) {
    address.sin_family = AF_INET;
  }
  void start() {
    owner.socket().connect(reinterpret_cast<const sockaddr*>(&address), sizeof address, connected);
  }
  bool ends() {
    return simulation.turn_until([&] { return connected.is_set(); });
  }
  void close() {
    owner.close_and_wait();
    simulation.expect_quiet();
    EXPECT_EQ(simulation.kernel.open_descriptors(), 0u);
  }

  Simulation simulation;
  SocketOwner<Simulation> owner;
  uring::Event connected;
  sockaddr_in address{};
};

TEST(Connect, EndsInASocketThatSendsAndReceives) {
  for_each_seed(50, [](std::uint64_t seed) {
    Connecting test(seed);
    test.start();
    ASSERT_TRUE(test.ends());
    EXPECT_EQ(test.owner.socket().connect_error(), 0);
    const auto peer = test.simulation.kernel.peer_of(test.owner.socket().descriptor());
    peer->write(stream_bytes(0, 0, 1000));
    test.owner.receive_all(uring::Socket::Arming::kStream);
    test.owner.send_all(100);
    EXPECT_TRUE(test.simulation.turn_until(
        [&] { return test.owner.received_bytes() == 1000 && peer->unread() == 100; }));
    test.close();
  });
}

TEST(Connect, TellsWhyItFailed) {
  for (const int error : {ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH}) {
    Connecting test(1);
    test.simulation.kernel.answer_connects(error);
    test.start();
    ASSERT_TRUE(test.ends());
    EXPECT_EQ(test.owner.socket().connect_error(), error);
    test.close();
  }
}

TEST(Connect, CanBeCalledOffWhileNobodyAnswers) {
  for_each_seed(50, [](std::uint64_t seed) {
    Connecting test(seed);
    test.simulation.kernel.answer_connects(SimulatedKernel::kNoAnswer);
    test.start();
    const std::size_t turns = test.simulation.kernel.dice().between(0, 3);
    for (std::size_t turn = 0; turn < turns; ++turn) test.simulation.loop.turn(milliseconds(10));
    EXPECT_FALSE(test.connected.is_set());
    test.owner.socket().cancel_connect();
    ASSERT_TRUE(test.ends());
    EXPECT_EQ(test.owner.socket().connect_error(), ECANCELED);
    test.close();
  });
}

TEST(Connect, CanBeClosedAtAnyMoment) {
  for_each_seed(200, [](std::uint64_t seed) {
    Connecting test(seed);
    Dice& dice = test.simulation.kernel.dice();
    if (dice.chance(30)) test.simulation.kernel.answer_connects(SimulatedKernel::kNoAnswer);
    if (dice.chance(95)) test.start();
    for (std::size_t turns = dice.between(0, 6); turns > 0; --turns) {
      test.simulation.loop.turn(milliseconds(1));
    }
    test.close();
  });
}

}  // namespace
