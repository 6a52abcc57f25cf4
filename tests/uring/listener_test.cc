// Accepting on the simulated kernel: every client once, a pause when descriptors run out, and an
// orderly stop at any moment.
#include "uring/listener.hh"

#include <gtest/gtest.h>

#include "tests/uring/simulation.hh"

using std::chrono::milliseconds;
using uring::Listener;

namespace {

class Accepted final : public uring::Acceptor {
 public:
  explicit Accepted(SimulatedKernel& kernel) : kernel_(kernel) {}
  void accepted(int descriptor) override {
    ++count;
    kernel_.close(descriptor);
  }
  void accept_failed(int error) override { errors.push_back(error); }

  std::size_t count = 0;
  std::vector<int> errors;

 private:
  SimulatedKernel& kernel_;
};

void stop_and_wait(Simulation& simulation, Listener& listener) {
  uring::Task<> stopping = listener.stop();
  stopping.start();
  EXPECT_TRUE(simulation.turn_until([&] { return stopping.done(); }));
}

TEST(Listener, AcceptsEveryClientOnce) {
  for_each_seed(100, [](std::uint64_t seed) {
    Simulation simulation(seed);
    Accepted accepted(simulation.kernel);
    const int descriptor = simulation.kernel.open_listener();
    Listener listener(simulation.loop, descriptor, accepted);
    listener.start();
    std::size_t to_come = 50;
    const auto world = [&] {
      if (to_come == 0 || simulation.kernel.dice().chance(50)) return;
      simulation.kernel.come_to(descriptor);
      --to_come;
    };
    EXPECT_TRUE(simulation.turn_until([&] { return accepted.count == 50; }, world));
    stop_and_wait(simulation, listener);
    EXPECT_EQ(accepted.count, 50u);
    EXPECT_TRUE(accepted.errors.empty());
    simulation.kernel.close(descriptor);
    simulation.expect_quiet();
    EXPECT_EQ(simulation.kernel.open_descriptors(), 0u);
  });
}

TEST(Listener, PausesWhenDescriptorsRunOutAndGoesOn) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS}) {
    Simulation simulation(1, {.calm = true});
    Accepted accepted(simulation.kernel);
    const int descriptor = simulation.kernel.open_listener();
    Listener listener(simulation.loop, descriptor, accepted);
    listener.start();
    simulation.kernel.fail_next_accept(error);
    EXPECT_TRUE(simulation.turn_until([&] { return !accepted.errors.empty(); }));
    EXPECT_EQ(accepted.errors, std::vector<int>{error});
    const auto failed = simulation.kernel.now();
    EXPECT_TRUE(simulation.turn_until([&] { return simulation.loop.in_flight() == 0; }));
    EXPECT_LT(simulation.kernel.now() - failed, Listener::kPause);
    simulation.kernel.come_to(descriptor);
    EXPECT_TRUE(simulation.turn_until([&] { return accepted.count == 1; }));
    EXPECT_EQ(accepted.errors.size(), 1u);
    EXPECT_GE(simulation.kernel.now() - failed, Listener::kPause);
    EXPECT_LE(simulation.kernel.now() - failed, Listener::kPause * 2);
    stop_and_wait(simulation, listener);
    simulation.kernel.close(descriptor);
  }
}

TEST(Listener, LetsSoManyOfACrowdInWithEachTurn) {
  Simulation simulation(1, {.calm = true});
  Accepted accepted(simulation.kernel);
  const int descriptor = simulation.kernel.open_listener();
  for (int client = 0; client < 100; ++client) simulation.kernel.come_to(descriptor);
  Listener listener(simulation.loop, descriptor, accepted);
  listener.start();
  std::size_t turns = 0;
  for (std::size_t before = 0; accepted.count < 100; ++turns) {
    simulation.loop.turn();
    EXPECT_LE(accepted.count - before, Listener::kAcceptsInFlight);
    before = accepted.count;
  }
  EXPECT_LE(turns, 100 / Listener::kAcceptsInFlight + 2);
  stop_and_wait(simulation, listener);
  simulation.kernel.close(descriptor);
  simulation.expect_quiet();
}

// Has room for a few clients at a time, which stay until they are let go.
class Housed final : public uring::Acceptor {
 public:
  static constexpr std::size_t kRooms = 5;

  explicit Housed(SimulatedKernel& kernel) : kernel_(kernel) {}
  void accepted(int descriptor) override {
    guests.push_back(descriptor);
    ++count;
    most = std::max(most, guests.size());
  }
  void accept_failed(int) override {}
  Appetite appetite() override {
    if (guests.size() >= kRooms) return Appetite::kNone;
    return many_below > guests.size() ? Appetite::kMany : Appetite::kOne;
  }
  void let_go() {
    kernel_.close(guests.back());
    guests.pop_back();
  }

  std::vector<int> guests;
  std::size_t count = 0;
  std::size_t most = 0;
  std::size_t many_below = 0;

 private:
  SimulatedKernel& kernel_;
};

TEST(Listener, LeavesInTheKernelWhoHasNoRoom) {
  for_each_seed(200, [](std::uint64_t seed) {
    Simulation simulation(seed);
    Dice& dice = simulation.kernel.dice();
    Housed housed(simulation.kernel);
    housed.many_below = dice.chance(50) ? 2 : 0;
    const int descriptor = simulation.kernel.open_listener();
    Listener listener(simulation.loop, descriptor, housed);
    for (int clients = 0; clients < 40; ++clients) simulation.kernel.come_to(descriptor);
    listener.start();
    const auto world = [&] {
      if (housed.guests.empty() || dice.chance(70)) return;
      housed.let_go();
      listener.resume();
    };
    EXPECT_TRUE(simulation.turn_until([&] { return housed.count == 40; }, world));
    // Those who are asked for already come on top.
    const std::size_t on_top = housed.many_below == 0 ? 0 : Listener::kAcceptsInFlight;
    EXPECT_GE(housed.most, Housed::kRooms);
    EXPECT_LE(housed.most, Housed::kRooms + on_top);
    stop_and_wait(simulation, listener);
    while (!housed.guests.empty()) housed.let_go();
    simulation.kernel.close(descriptor);
    simulation.expect_quiet();
  });
}

TEST(Listener, LooksForRoomByItselfWhereNobodyTells) {
  Simulation simulation(1, {.calm = true});
  Housed housed(simulation.kernel);
  const int descriptor = simulation.kernel.open_listener();
  Listener listener(simulation.loop, descriptor, housed);
  for (std::size_t clients = 0; clients < Housed::kRooms + 1; ++clients) {
    simulation.kernel.come_to(descriptor);
  }
  listener.start();
  EXPECT_TRUE(simulation.turn_until([&] { return housed.count == Housed::kRooms; }));
  housed.let_go();
  EXPECT_TRUE(simulation.turn_until([&] { return housed.count == Housed::kRooms + 1; }));
  stop_and_wait(simulation, listener);
  while (!housed.guests.empty()) housed.let_go();
  simulation.kernel.close(descriptor);
}

TEST(Listener, AcceptsOnAfterAClientThatGaveUp) {
  Simulation simulation(1, {.calm = true});
  Accepted accepted(simulation.kernel);
  const int descriptor = simulation.kernel.open_listener();
  Listener listener(simulation.loop, descriptor, accepted);
  listener.start();
  simulation.kernel.fail_next_accept(ECONNABORTED);
  simulation.loop.turn(milliseconds(1));
  simulation.kernel.come_to(descriptor);
  EXPECT_TRUE(simulation.turn_until([&] { return accepted.count == 1; }));
  EXPECT_TRUE(accepted.errors.empty());
  stop_and_wait(simulation, listener);
  simulation.kernel.close(descriptor);
}

TEST(Listener, StopsAtAnyMomentWithEverybodyServedWhoHasCome) {
  for_each_seed(200, [](std::uint64_t seed) {
    Simulation simulation(seed);
    Dice& dice = simulation.kernel.dice();
    Accepted accepted(simulation.kernel);
    const int descriptor = simulation.kernel.open_listener();
    Listener listener(simulation.loop, descriptor, accepted);
    std::size_t came = 0;
    if (dice.chance(95)) listener.start();
    for (std::size_t turns = dice.between(0, 30); turns > 0; --turns) {
      for (std::size_t clients = dice.chance(60) ? dice.between(1, 5) : 0; clients > 0; --clients) {
        simulation.kernel.come_to(descriptor);
        ++came;
      }
      if (dice.chance(10)) simulation.kernel.fail_next_accept(EMFILE);
      simulation.loop.turn(milliseconds(dice.of_any_size(0, 120)));
    }
    const std::size_t errors_before = accepted.errors.size();
    stop_and_wait(simulation, listener);
    // Where a descriptor is missing the others wait in vain: they are reset with the socket.
    if (accepted.errors.size() == errors_before) {
      EXPECT_EQ(accepted.count, came);
    }
    simulation.kernel.close(descriptor);
    simulation.loop.turn(milliseconds(500));
    simulation.expect_quiet();
    EXPECT_EQ(simulation.kernel.open_descriptors(), 0u) << "an accepted client leaked";
  });
}

// Where nothing holds them off, as on a socket that somebody else has, too.
TEST(Listener, StopsThoughThereIsAlwaysOneMoreWhoComes) {
  Simulation simulation(1, {.calm = true});
  Accepted accepted(simulation.kernel);
  const int descriptor = simulation.kernel.open_listener();
  Listener listener(simulation.loop, descriptor, accepted);
  simulation.kernel.come_to(descriptor);
  simulation.kernel.come_to(descriptor);
  uring::Task<> stopping = listener.stop();
  stopping.start();
  std::size_t came = 2;
  while (!stopping.done() && came < 2 * Listener::kDrainMax) {
    simulation.kernel.come_to(descriptor);
    ++came;
    simulation.loop.turn(milliseconds(1));
  }
  EXPECT_TRUE(stopping.done());
  EXPECT_EQ(accepted.count, Listener::kDrainMax);
  EXPECT_EQ(simulation.loop.in_flight(), 0u);
  simulation.kernel.close(descriptor);
}

// As by a successor, who accepts at the same socket.
TEST(Listener, LeavesTheQueueToOthers) {
  for_each_seed(200, [](std::uint64_t seed) {
    Simulation simulation(seed);
    Accepted ours(simulation.kernel);
    Accepted theirs(simulation.kernel);
    const int descriptor = simulation.kernel.open_listener();
    Listener first(simulation.loop, descriptor, ours);
    Listener second(simulation.loop, descriptor, theirs);
    first.start();
    std::size_t to_come = 30;
    const auto world = [&] {
      if (to_come == 0 || simulation.kernel.dice().chance(50)) return;
      simulation.kernel.come_to(descriptor);
      --to_come;
    };
    const std::size_t before = simulation.kernel.dice().between(0, 9);
    EXPECT_TRUE(simulation.turn_until([&] { return ours.count >= before; }, world));
    uring::Task<> leaving = first.leave_queue();
    leaving.start();
    EXPECT_TRUE(simulation.turn_until([&] { return leaving.done(); }, world));
    const std::size_t accepted = ours.count;
    second.start();
    EXPECT_TRUE(simulation.turn_until([&] { return accepted + theirs.count == 30; }, world));
    EXPECT_EQ(ours.count, accepted);
    stop_and_wait(simulation, second);
    simulation.kernel.close(descriptor);
    simulation.expect_quiet();
    EXPECT_EQ(simulation.kernel.open_descriptors(), 0u);
  });
}

}  // namespace
