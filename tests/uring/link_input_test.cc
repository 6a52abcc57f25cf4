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
  Watcher(Simulation& simulation, int descriptor, std::size_t room = 100)
      : simulation_(simulation), room_(room) {
    link_.adopt(descriptor);
  }

  void watch() { watch(room_); }
  void watch(std::size_t room) { link_.watch_input(noticed_, room); }
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
  std::size_t room_;
  std::vector<std::byte> plaintext_ = std::vector<std::byte>(64 * 1024);
  uring::BatchPool pool_{1 << 20};
  uring::LinkResources resources_{simulation_.loop, *simulation_.buffers, pool_, plaintext_};
  uring::ReadyMember<&Watcher::on_noticed> noticed_{*this};
  Link link_{resources_};
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Two buffers' worth, so that one receive goes on.
constexpr std::size_t kConversation = 512;

// With a receive for what comes next, and with one that goes on, where the kernel has that.
template <class Check>
void for_all_forms(Check check) {
  struct Form {
    bool byte_cap;
    std::size_t room;
  };
  for (const Form form : {Form{true, 100}, Form{true, kConversation}, Form{false, kConversation}}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << (form.byte_cap ? "" : ", no cap")
                                      << ", room for " << form.room);
      Simulation simulation(seed, {.byte_cap = form.byte_cap});
      SimulatedKernel::Stream peer;
      {
        Watcher watcher(simulation, simulation.kernel.open_stream(peer), form.room);
        check(simulation, watcher, *peer);
        watcher.close_and_wait();
      }
      simulation.expect_quiet();
    }
  }
}

TEST(LinkInput, IsQuietUntilSomethingArrives) {
  for_all_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
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
  for_all_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch();
    simulation.dice().chance(50) ? peer.shutdown_write() : peer.reset();
    EXPECT_TRUE(simulation.turn_until([&] { return watcher.last == Input::kEnd; }));
    EXPECT_NE(watcher.link().end(), uring::LinkEnd::kNone);
    EXPECT_FALSE(watcher.link().quiet());
  });
}

TEST(LinkInput, IsTheNextReadsWhenItIsNotWatchedAnyMore) {
  for_all_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
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
  for_all_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
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
  for_all_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
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

std::string letters(std::size_t from, std::size_t count) {
  std::string text(count, ' ');
  for (char& letter : text) letter = static_cast<char>('a' + from++ % 26);
  return text;
}

TEST(LinkInput, IsArmedForOnceForManyReadsOfAConversation) {
  Simulation simulation(1, {.calm = true});
  SimulatedKernel::Stream peer;
  {
    Watcher watcher(simulation, simulation.kernel.open_stream(peer));
    watcher.watch(kConversation);
    watcher.link().unwatch_input();
    for (std::size_t turn = 0; turn < 200; ++turn) {
      EXPECT_TRUE(watcher.link().receives()) << turn;
      Task<> reading = watcher.read_once();
      reading.start();
      peer->write(bytes_of(letters(turn, 1)));
      ASSERT_TRUE(simulation.turn_until([&] { return reading.done(); }));
      EXPECT_EQ(simulation.buffers->lent(), 1u) << "what was read last";
      watcher.link().release();
    }
    EXPECT_EQ(watcher.text, letters(0, 200));
    watcher.close_and_wait();
  }
  simulation.expect_quiet();
}

TEST(LinkInput, WaitsInFewBuffersHoweverSmallThePiecesAre) {
  for_all_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch(kConversation);
    watcher.link().unwatch_input();
    constexpr std::size_t kSent = 1000;
    for (std::size_t sent = 0; sent < kSent; ++sent) {
      peer.write(bytes_of(letters(sent, 1)));
      simulation.loop.turn(std::chrono::milliseconds(1));
      ASSERT_LE(simulation.buffers->lent(), 3u) << sent << " bytes";
    }
    while (watcher.text.size() < kSent) {
      Task<> reading = watcher.read_once();
      reading.start();
      ASSERT_TRUE(simulation.turn_until([&] { return reading.done(); }));
    }
    EXPECT_EQ(watcher.text, letters(0, kSent));
  });
}

TEST(LinkInput, OfAConversationEndsEarlyWhenItIsTold) {
  for_each_seed(20, [](std::uint64_t seed) {
    Simulation simulation(seed);
    SimulatedKernel::Stream peer;
    {
      Watcher watcher(simulation, simulation.kernel.open_stream(peer), kConversation);
      watcher.watch();
      watcher.link().unwatch_input();
      watcher.link().stop_streaming();
      EXPECT_TRUE(simulation.turn_until([&] { return !watcher.link().receives(); }));
      peer->write(bytes_of(letters(0, 100)));
      for (int turns = 0; turns < 20; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
      EXPECT_EQ(simulation.buffers->lent(), 0u);
      while (watcher.text.size() < 100) {
        Task<> reading = watcher.read_once();
        reading.start();
        ASSERT_TRUE(simulation.turn_until([&] { return reading.done(); }));
      }
      EXPECT_EQ(watcher.text, letters(0, 100));
      watcher.close_and_wait();
    }
    simulation.expect_quiet();
  });
}

TEST(LinkInput, WithNoRoomIsWhatIsOnItsWayAlready) {
  for_all_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch();
    watcher.watch(0);
    peer.write(bytes_of("a"));
    EXPECT_TRUE(simulation.turn_until([&] { return !watcher.link().receives(); }));
    peer.write(bytes_of("b"));
    for (int turns = 0; turns < 20; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_FALSE(watcher.link().receives());
    EXPECT_EQ(watcher.text.find('b'), watcher.text.npos);
  });
}

TEST(LinkInput, IsNotQuietWhereItsEndHasComeAlong) {
  Simulation simulation(1, {.calm = true});
  SimulatedKernel::Stream peer;
  {
    Watcher watcher(simulation, simulation.kernel.open_stream(peer), kConversation);
    watcher.link().secure(std::make_unique<RecordSession>());
    peer->write(RecordSession::record(RecordType::kHello));
    Task<bool> shaking = watcher.link().handshake();
    shaking.start();
    ASSERT_TRUE(simulation.turn_until([&] { return shaking.done(); }));
    watcher.watch();
    EXPECT_TRUE(watcher.link().quiet());
    watcher.link().unwatch_input();
    std::vector<std::byte> last = RecordSession::record(RecordType::kData, bytes_of("answer"));
    std::ranges::copy(RecordSession::record(RecordType::kClose), std::back_inserter(last));
    peer->write(last);
    Task<> reading = watcher.read_once();
    reading.start();
    ASSERT_TRUE(simulation.turn_until([&] { return reading.done(); }));
    EXPECT_EQ(watcher.text, "answer");
    watcher.watch();
    EXPECT_FALSE(watcher.link().quiet()) << "nobody has been told yet";
    EXPECT_TRUE(simulation.turn_until([&] { return watcher.last == Input::kEnd; }));
    watcher.close_and_wait();
  }
  simulation.expect_quiet();
}

TEST(LinkInput, IsForgottenByAnAbort) {
  for_all_forms([](Simulation& simulation, Watcher& watcher, SimulatedStream& peer) {
    watcher.watch();
    simulation.loop.turn(std::chrono::milliseconds(1));
    watcher.link().abort();
    peer.write(bytes_of("late"));
    for (int turns = 0; turns < 10; ++turns) simulation.loop.turn(std::chrono::milliseconds(1));
    EXPECT_EQ(watcher.times, 0u);
  });
}

}  // namespace
