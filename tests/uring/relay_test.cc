// Two links pumped into each other on the simulated kernel: what arrives is in order and whole up
// to the ending, memory stays bounded whoever is slow, and nothing is left at the end.
#include <algorithm>
#include <deque>
#include <optional>

#include "tests/uring/relay_peer.hh"
#include "uring/link.hh"

namespace {

using Link = uring::Link<RecordSession, RecordSink>;
using uring::BatchPool;
using uring::LinkEnd;
using uring::Task;

// A relay's two links and its story, as small as it can be.
class TestRelay {
 public:
  TestRelay(uring::LinkResources& resources, int client, bool client_sealed, int upstream,
            bool upstream_sealed)
      : finished_(resources.loop.ready()) {
    client_.emplace(resources).adopt(client);
    upstream_.emplace(resources).adopt(upstream);
    if (client_sealed) client_->secure(std::make_unique<RecordSession>());
    if (upstream_sealed) upstream_->secure(std::make_unique<RecordSession>());
    story_ = story();
  }
  void start() { story_.start(); }
  bool done() const { return story_.done(); }
  bool stopped_early() const { return stopped_early_; }
  void stop() {
    stopped_early_ = true;
    if (client_) client_->abort();
    if (upstream_) upstream_->abort();
  }

 private:
  // The links go as soon as they are closed: nothing of them may be queued any more.
  Task<> story() {
    bool shaken = co_await shake_hands(*client_);
    if (shaken) shaken = co_await shake_hands(*upstream_);
    if (shaken) {
      to_client_ = pump(*upstream_, *client_);
      to_upstream_ = pump(*client_, *upstream_);
      to_client_.start();
      to_upstream_.start();
      co_await finished_.wait();
      co_await client_->drained();
      co_await upstream_->drained();
    }
    co_await client_->close();
    client_.reset();
    co_await upstream_->close();
    upstream_.reset();
  }

  Task<bool> shake_hands(Link& link) {
    if (link.session() == nullptr) co_return true;
    const bool done = co_await link.handshake();
    co_return done;
  }

  Task<> pump(Link& from, Link& to) {
    for (;;) {
      const uring::Bytes bytes = co_await from.read_for(to);
      if (bytes.empty()) break;
      EXPECT_LE(bytes.size(), BatchPool::kShareMax);
      if (to.send_failed()) break;
      to.write(bytes);
    }
    if (from.end() == LinkEnd::kEndOfStream) {
      to.write_end();
    } else {
      stop();
    }
    if (++pumps_done_ == 2) finished_.set();
  }

  std::optional<Link> client_;
  std::optional<Link> upstream_;
  uring::Event finished_;
  Task<> story_;
  Task<> to_client_;
  Task<> to_upstream_;
  int pumps_done_ = 0;
  bool stopped_early_ = false;
};

// A number of relays that share a loop, its buffers and a pool.
class Relays {
 public:
  Relays(std::uint64_t seed, SimulationOptions options, std::size_t budget)
      : simulation(seed, options), pool(budget) {}

  void add(bool client_sealed, Ending client_ending, bool upstream_sealed, Ending upstream_ending,
           std::size_t total) {
    Dice& dice = simulation.dice();
    const std::size_t stream = 2 * relays.size();
    SimulatedKernel::Stream client;
    SimulatedKernel::Stream upstream;
    const int client_descriptor = simulation.kernel.open_stream(client);
    const int upstream_descriptor = simulation.kernel.open_stream(upstream);
    peers.emplace_back(client, client_sealed, stream, stream + 1, total, client_ending, dice);
    peers.emplace_back(upstream, upstream_sealed, stream + 1, stream, total, upstream_ending, dice);
    relays.emplace_back(resources, client_descriptor, client_sealed, upstream_descriptor,
                        upstream_sealed);
    relays.back().start();
  }

  void act() {
    for (RelayPeer& peer : peers) peer.act(simulation.dice());
    memory_max = std::max(memory_max, pool.in_use());
  }

  bool run_to_the_end() {
    return simulation.turn_until(
        [&] { return std::ranges::all_of(relays, [](auto& relay) { return relay.done(); }); },
        [&] { act(); });
  }

  void expect_nothing_left() {
    simulation.expect_quiet();
    EXPECT_EQ(simulation.kernel.open_descriptors(), 0u);
    relays.clear();
    EXPECT_EQ(pool.in_use(), 0u);
    EXPECT_EQ(pool.share(), full_share);
  }

  // Two batches for each link, of the largest size that its share may need.
  std::size_t memory_bound(std::size_t batch) const { return relays.size() * 2 * 2 * batch; }

  Simulation simulation;
  BatchPool pool;
  std::size_t full_share = pool.share();
  std::vector<std::byte> plaintext = std::vector<std::byte>(64 * 1024);
  uring::LinkResources resources{simulation.loop, *simulation.buffers, pool, plaintext};
  std::deque<RelayPeer> peers;
  std::deque<TestRelay> relays;
  std::size_t memory_max = 0;
};

struct Form {
  const char* name;
  bool byte_cap;
  bool client_sealed;
  bool upstream_sealed;
};

constexpr Form kForms[] = {
    {"PlainToPlain", true, false, false},  {"SealedToPlain", true, true, false},
    {"PlainToSealed", true, false, true},  {"SealedToSealed", true, true, true},
    {"OneShotPlain", false, false, false}, {"OneShotSealedToPlain", false, true, false},
    {"OneShotSealed", false, true, true},
};

class Relay : public testing::TestWithParam<Form> {
 protected:
  static void add(Relays& relays, Ending client, Ending upstream, std::size_t total) {
    relays.add(GetParam().client_sealed, client, GetParam().upstream_sealed, upstream, total);
  }
};

INSTANTIATE_TEST_SUITE_P(Link, Relay, testing::ValuesIn(kForms),
                         [](const auto& form) { return form.param.name; });

TEST_P(Relay, CarriesEverythingBothWaysWhoeverIsSlow) {
  for_each_seed(30, [](std::uint64_t seed) {
    Relays relays(seed, {.byte_cap = GetParam().byte_cap}, seed % 2 == 0 ? 0 : 8 << 20);
    const std::size_t total = relays.simulation.dice().of_any_size(1, 300'000);
    add(relays, Ending::kWhole, Ending::kWhole, total);
    EXPECT_TRUE(relays.run_to_the_end());
    for (int turns = 0; turns < 2000; ++turns) relays.act();
    for (const RelayPeer& peer : relays.peers) {
      EXPECT_EQ(peer.read(), total);
      EXPECT_TRUE(peer.saw_whole_end());
    }
    EXPECT_FALSE(relays.relays[0].stopped_early());
    relays.expect_nothing_left();
  });
}

TEST_P(Relay, EndsBothSidesWhenOneResetsOrTruncates) {
  for_each_seed(60, [](std::uint64_t seed) {
    Relays relays(seed, {.byte_cap = GetParam().byte_cap}, 1 << 20);
    Dice& dice = relays.simulation.dice();
    const Ending client = dice.chance(50) ? Ending::kReset : Ending::kTruncated;
    const Ending upstream = dice.chance(50) ? Ending::kReset : Ending::kWhole;
    const std::size_t total = dice.of_any_size(1, 200'000);
    add(relays, client, upstream, total);
    EXPECT_TRUE(relays.run_to_the_end());
    for (int turns = 0; turns < 2000; ++turns) relays.act();
    for (const RelayPeer& peer : relays.peers) EXPECT_TRUE(peer.saw_an_end());
    if (client == Ending::kTruncated && GetParam().client_sealed) {
      EXPECT_FALSE(relays.peers[1].saw_whole_end() && GetParam().upstream_sealed)
          << "a truncation was passed on as a proper end";
    }
    relays.expect_nothing_left();
  });
}

TEST_P(Relay, StopsReadingForAPeerThatDoesNotRead) {
  for_each_seed(8, [](std::uint64_t seed) {
    Relays relays(seed, {.byte_cap = GetParam().byte_cap}, 0);
    for (int count = 0; count < 4; ++count) {
      add(relays, Ending::kNeverReads, Ending::kNeverReads, 1 << 30);
    }
    for (int turns = 0; turns < 3000; ++turns) {
      relays.act();
      relays.simulation.loop.turn(std::chrono::milliseconds(1));
    }
    EXPECT_LE(relays.memory_max, relays.memory_bound(80 * 1024));
    for (const RelayPeer& peer : relays.peers) EXPECT_LT(peer.written(), 400'000u);
    for (TestRelay& relay : relays.relays) relay.stop();
    EXPECT_TRUE(relays.run_to_the_end());
    relays.expect_nothing_left();
  });
}

// What a session answers of its own needs no room of another's, so it has a bound of its own.
TEST_P(Relay, EndsAPeerThatDemandsAnswersAndNeverReadsThem) {
  if (!GetParam().client_sealed) GTEST_SKIP() << "plain peers demand nothing";
  for_each_seed(4, [](std::uint64_t seed) {
    Relays relays(seed, {.byte_cap = GetParam().byte_cap, .window = 4096}, 1 << 20);
    add(relays, Ending::kNeverReads, Ending::kWhole, 1 << 30);
    EXPECT_TRUE(relays.simulation.turn_until([&] { return relays.relays[0].done(); },
                                             [&] {
                                               relays.peers[1].act(relays.simulation.dice());
                                               relays.peers[0].demand(50);
                                             }));
    EXPECT_TRUE(relays.relays[0].stopped_early());
    relays.expect_nothing_left();
  });
}

TEST_P(Relay, ServesTheQuickBesideThoseThatDoNotRead) {
  for_each_seed(3, [](std::uint64_t seed) {
    Relays relays(seed, {.byte_cap = GetParam().byte_cap}, 1 << 20);
    add(relays, Ending::kWhole, Ending::kWhole, 100'000);
    for (int count = 0; count < 6; ++count) {
      add(relays, Ending::kNeverReads, Ending::kNeverReads, 1 << 30);
    }
    EXPECT_TRUE(relays.simulation.turn_until([&] { return relays.relays[0].done(); },
                                             [&] { relays.act(); }));
    EXPECT_EQ(relays.peers[0].written(), 100'000u);
    EXPECT_EQ(relays.peers[1].written(), 100'000u);
    EXPECT_LE(relays.memory_max, relays.memory_bound(BatchPool::kBatchMax));
    for (TestRelay& relay : relays.relays) relay.stop();
    EXPECT_TRUE(relays.run_to_the_end());
    relays.expect_nothing_left();
  });
}

TEST_P(Relay, CanBeStoppedAtAnyMoment) {
  for_each_seed(150, [](std::uint64_t seed) {
    Relays relays(seed, {.byte_cap = GetParam().byte_cap, .window = 4096}, 1 << 20);
    Dice& dice = relays.simulation.dice();
    add(relays, Ending::kWhole, Ending::kReset, dice.of_any_size(1, 50'000));
    for (std::size_t turns = dice.between(0, 60); turns > 0; --turns) {
      relays.act();
      relays.simulation.loop.turn(std::chrono::milliseconds(1));
    }
    relays.relays[0].stop();
    EXPECT_TRUE(relays.run_to_the_end());
    relays.expect_nothing_left();
  });
}

}  // namespace
