// A link that nobody reads, and whose input is watched: bytes and ends are noticed, nothing is
// held, and whoever reads afterwards gets what has arrived meanwhile.
#include <string>

#include "tests/uring/sealed_records.hh"
#include "tests/uring/simulation.hh"
#include "uring/link.hh"

namespace {

using Link = uring::Link<RecordSession, RecordSink>;
using Input = Link::Input;
using uring::Task;

// A link with an owner that notes what it is told.
class Watcher {
 public:
  Watcher(Simulation& simulation, int descriptor) : simulation_(simulation) {
    link_.adopt(descriptor);
  }

  void watch() { link_.watch_input(noticed_, 100); }
  Link& link() { return link_; }
  std::string text;
  Input last = Input::kNothing;
  unsigned times = 0;

  Task<> read_once() {
    const auto bytes = co_await link_.read_once(100);
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  void close_and_wait() {
    Task<> closing = link_.close();
    closing.start();
    EXPECT_TRUE(simulation_.turn_until([&] { return closing.done(); }));
  }

 private:
  void on_noticed() {
    if (!link_.watches_input()) return;
    ++times;
    last = link_.take_input(text);
  }

  Simulation& simulation_;
  std::vector<std::byte> plaintext_ = std::vector<std::byte>(64 * 1024);
  uring::BatchPool pool_{1 << 20};
  uring::LinkResources resources_{simulation_.loop, *simulation_.buffers, pool_, plaintext_};
  uring::ReadyMember<&Watcher::on_noticed> noticed_{*this};
  Link link_{resources_};
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

template <class Check>
void for_both_forms(Check check) {
  for (const bool byte_cap : {true, false}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << (byte_cap ? "" : ", one-shot"));
      Simulation simulation(seed, {.byte_cap = byte_cap});
      SimulatedKernel::Stream peer;
      {
        Watcher watcher(simulation, simulation.kernel.open_stream(peer));
        check(simulation, watcher, *peer);
        watcher.close_and_wait();
      }
      simulation.expect_quiet();
    }
  }
}

TEST(LinkInput, IsQuietUntilSomethingArrives) {
  for_both_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch();
    for (int turns = 0; turns < 10; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_TRUE(watcher.link().quiet());
    EXPECT_EQ(watcher.times, 0u);
    peer.write(bytes_of("hello"));
    EXPECT_TRUE(simulation.turn_until([&] { return watcher.last == Input::kBytes; }));
    EXPECT_FALSE(watcher.text.empty());
    EXPECT_FALSE(watcher.link().watches_input());
    EXPECT_EQ(simulation.buffers->lent(), 0u) << "no buffer is held while nobody reads";
  });
}

TEST(LinkInput, TellsOfTheEnd) {
  for_both_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch();
    simulation.dice().chance(50) ? peer.shutdown_write() : peer.reset();
    EXPECT_TRUE(simulation.turn_until([&] { return watcher.last == Input::kEnd; }));
    EXPECT_NE(watcher.link().end(), uring::LinkEnd::kNone);
    EXPECT_FALSE(watcher.link().quiet());
  });
}

TEST(LinkInput, IsTheNextReadsWhenItIsNotWatchedAnyMore) {
  for_both_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch();
    simulation.loop.turn(std::chrono::milliseconds(1));
    watcher.link().unwatch_input();
    if (simulation.dice().chance(50)) {
      peer.write(bytes_of("a"));
      for (int turns = 0; turns < 5; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    }
    Task<> reading = watcher.read_once();
    reading.start();
    peer.write(bytes_of("a"));
    EXPECT_TRUE(simulation.turn_until([&] { return reading.done(); }));
    EXPECT_EQ(watcher.text.front(), 'a');
    EXPECT_EQ(watcher.times, 0u);
  });
}

TEST(LinkInput, LetsTheSessionHaveWhatIsForItAlone) {
  for_both_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.link().secure(std::make_unique<RecordSession>());
    peer.write(RecordSession::record(RecordType::kHello));
    Task<bool> shaking = watcher.link().handshake();
    shaking.start();
    ASSERT_TRUE(simulation.turn_until([&] { return shaking.done(); }));
    watcher.watch();
    peer.write(RecordSession::record(RecordType::kDemand));
    EXPECT_TRUE(simulation.turn_until([&] { return watcher.times > 0; }));
    for (int turns = 0; turns < 20; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_EQ(watcher.last, Input::kNothing);
    EXPECT_TRUE(watcher.link().quiet());
    peer.write(RecordSession::record(RecordType::kData, bytes_of("hello")));
    EXPECT_TRUE(simulation.turn_until([&] { return watcher.last == Input::kBytes; }));
    EXPECT_EQ(watcher.text, "hello");
  });
}

TEST(LinkInput, KeepsNoBufferOfWhatIsDropped) {
  for_both_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch();
    simulation.loop.turn(std::chrono::milliseconds(1));
    watcher.link().unwatch_input();
    if (simulation.dice().chance(50)) {
      peer.write(bytes_of("nobody's"));
      simulation.loop.turn(std::chrono::milliseconds(1));
    }
    watcher.link().drop_input();
    EXPECT_EQ(simulation.buffers->lent(), 0u);
    // What is armed may be faster than its cancellation.
    peer.write(bytes_of("nobody's"));
    for (int turns = 0; turns < 50; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_EQ(simulation.buffers->lent(), 0u);
    EXPECT_EQ(watcher.times, 0u);
    Task<> reading = watcher.read_once();
    reading.start();
    peer.write(bytes_of("read"));
    EXPECT_TRUE(simulation.turn_until([&] { return reading.done(); }));
    EXPECT_FALSE(watcher.text.empty());
  });
}

TEST(LinkInput, IsForgottenByAnAbort) {
  for_both_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch();
    simulation.loop.turn(std::chrono::milliseconds(1));
    watcher.link().abort();
    peer.write(bytes_of("late"));
    for (int turns = 0; turns < 10; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_EQ(watcher.times, 0u);
  });
}

}  // namespace
