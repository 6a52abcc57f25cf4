// A tunnel's two directions and all its endings, on the simulated kernel.
#include "gateway/websocket/opaque_relay.hh"

#include "tests/uring/simulation.hh"

namespace {

using gateway::Reason;
using std::chrono::seconds;
using Buffer = std::vector<std::byte>;

constexpr std::uint64_t kSeeds = 20;

Buffer bytes_of(std::size_t size, unsigned salt) {
  Buffer bytes(size);
  for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<std::byte>(at * 31 + salt);
  return bytes;
}

class Stand final : private gateway::RelayOwner {
 public:
  explicit Stand(std::uint64_t seed, const gateway::RelayPolicy& allowed = {})
      : now_allowed(allowed), simulation(seed, {.window = 4096}), begun_(simulation.loop.now()) {
    client_.adopt(simulation.kernel.open_stream(client));
    upstream_.adopt(simulation.kernel.open_stream(upstream));
    relay.emplace(simulation.loop, client_, upstream_, "tcp",
                  static_cast<gateway::RelayOwner&>(*this));
  }
  ~Stand() {
    EXPECT_TRUE(story_.done());
    relay->stop({.reason = Reason::kStopping});
    EXPECT_FALSE(simulation.loop.timers().until_next(simulation.loop.now()).has_value());
    EXPECT_EQ(times_finished, 1u);
    simulation.expect_quiet();
  }

  void start(const Buffer& behind_request = {}, const Buffer& behind_response = {}) {
    relay->start(behind_request, behind_response);
    story_ = story();
    story_.start();
  }
  template <class Condition>
  void until(Condition condition) {
    EXPECT_TRUE(simulation.turn_until(condition, [&] { act(); }));
  }
  void until_done() {
    until([&] { return story_.done(); });
    act();
  }
  Reason reason() const { return relay->how_ended().reason; }
  double seconds_since() const {
    return std::chrono::duration<double>(simulation.loop.now() - begun_).count();
  }

  gateway::RelayPolicy now_allowed;  // may change
  Simulation simulation;
  SimulatedKernel::Stream client;
  SimulatedKernel::Stream upstream;
  std::optional<gateway::OpaqueRelay> relay;
  Buffer client_unsent;
  Buffer upstream_unsent;
  Buffer to_client;
  Buffer to_upstream;
  bool client_ends = false;  // behind what it has to send
  bool upstream_ends = false;
  bool upstream_reads = true;
  unsigned times_finished = 0;  // of note_finished()

 private:
  gateway::RelayPolicy policy() override { return now_allowed; }
  void report() override { ADD_FAILURE() << "nobody has asked"; }
  gateway::TranslationTerms translation() override { std::abort(); }
  void note_uncompressed() override { ADD_FAILURE() << "nothing is compressed"; }
  gateway::DetailText& detail() override { return detail_; }
  void note_finished() override {
    ++times_finished;
    finished_.set();
  }

  void act() {
    play(*client, client_unsent, client_ends, to_client, true);
    play(*upstream, upstream_unsent, upstream_ends, to_upstream, upstream_reads);
  }
  static void play(SimulatedStream& peer, Buffer& unsent, bool& ends, Buffer& got, bool reads) {
    const std::size_t taken = peer.write(unsent);
    unsent.erase(unsent.begin(), unsent.begin() + static_cast<long>(taken));
    if (ends && unsent.empty()) {
      ends = false;
      peer.shutdown_write();
    }
    if (!reads) return;
    const auto bytes = peer.read(1 << 20);
    got.insert(got.end(), bytes.begin(), bytes.end());
  }

  uring::Task<> story() {
    co_await finished_.wait();
    relay->stop_watching();
    for (gateway::Link* link : {&client_, &upstream_}) {
      link->clear_abort();
      link->write_end();
      co_await link->drained();
      co_await link->close();
    }
  }

  uring::BatchPool pool_{0};
  std::vector<std::byte> plaintext_ = std::vector<std::byte>(64 * 1024);
  uring::LinkResources resources_{simulation.loop, *simulation.buffers, pool_, plaintext_};
  gateway::Link client_{resources_};
  gateway::Link upstream_{resources_};
  uring::Clock::time_point begun_;
  uring::Event finished_{simulation.loop.ready()};
  uring::Task<> story_;
  gateway::DetailText detail_;
};

TEST(OpaqueRelay, PassesAllBytesBothWaysAndEachEnd) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const Buffer asked = bytes_of(40'000, 1);
    const Buffer said = bytes_of(50'000, 2);
    stand.client_unsent.assign(asked.begin() + 10, asked.end());
    stand.upstream_unsent.assign(said.begin() + 20, said.end());
    stand.client_ends = seed % 2 == 0;
    stand.upstream_ends = !stand.client_ends;
    stand.start(Buffer(asked.begin(), asked.begin() + 10), Buffer(said.begin(), said.begin() + 20));
    stand.until([&] { return stand.to_upstream == asked && stand.to_client == said; });
    // A half-close: the other way goes on.
    const bool client_first = seed % 2 == 0;
    stand.until([&] { return (client_first ? stand.upstream : stand.client)->saw_end(); });
    EXPECT_FALSE((client_first ? stand.client : stand.upstream)->saw_end());
    (client_first ? stand.upstream_unsent : stand.client_unsent) = bytes_of(5'000, 3);
    (client_first ? stand.upstream_ends : stand.client_ends) = true;
    stand.until_done();
    EXPECT_EQ(stand.to_upstream.size() + stand.to_client.size(), 95'000u);
    EXPECT_EQ(stand.reason(), Reason::kDone);
    EXPECT_TRUE(stand.relay->client_stream_is_whole() && stand.relay->upstream_stream_is_whole());
    EXPECT_EQ(stand.relay->bytes_from_client() + stand.relay->bytes_from_upstream(), 95'000u);
  });
}

TEST(OpaqueRelay, EndsWhereAPeerHasReset) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    stand.client_unsent = bytes_of(3'000, 1);
    stand.until([&] { return stand.to_upstream.size() == 3'000; });
    // Behind a half-close, too.
    const bool half_closed = seed % 3 == 0;
    if (half_closed) {
      stand.client_ends = true;
      stand.until([&] { return stand.upstream->saw_end(); });
    }
    (seed % 2 == 0 ? stand.client : stand.upstream)->reset();
    stand.until_done();
    EXPECT_EQ(stand.reason(), seed % 2 == 0 ? Reason::kClientReset : Reason::kUpstreamReset);
    EXPECT_FALSE(stand.relay->client_stream_is_whole());
  });
}

TEST(OpaqueRelay, HoldsBackWhoSendsToOneWhoDoesNotRead) {
  for_each_seed(3, [](std::uint64_t seed) {
    Stand stand(seed, {.idle = seconds(30)});
    stand.upstream_reads = false;
    stand.start();
    stand.client_unsent = bytes_of(4 << 20, 1);
    stand.until([&] { return stand.relay->is_closing(); });
    stand.upstream_reads = true;
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kIdle);
    EXPECT_LT(stand.relay->bytes_from_client(), 1u << 20);
    EXPECT_FALSE(stand.relay->upstream_stream_is_whole());
  });
}

TEST(OpaqueRelay, GoesByWhatItsPolicyBecomes) {
  Stand stand(1);
  stand.start();
  stand.now_allowed.idle = seconds(5);
  stand.until_done();
  EXPECT_EQ(stand.reason(), Reason::kIdle);
  EXPECT_NEAR(stand.seconds_since(), 60, 2) << "within a minute";
  Stand other(2);
  other.now_allowed.ends_at = other.simulation.loop.now() + seconds(7);
  other.start();
  other.until_done();
  EXPECT_EQ(other.reason(), Reason::kLifetime);
  EXPECT_NEAR(other.seconds_since(), 7, 1);
}

TEST(OpaqueRelay, EndsAtItsStartWhereItsPolicySaysThatItIsOver) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.now_allowed.ends_at = stand.simulation.loop.now() - seconds(1);
    stand.now_allowed.ends_by = seed % 2 == 0 ? Reason::kLifetime : Reason::kTokenExpired;
    stand.client_unsent = stand.upstream_unsent = bytes_of(100, 1);
    stand.start(bytes_of(10, 1), bytes_of(10, 2));
    EXPECT_TRUE(stand.relay->has_finished());
    EXPECT_EQ(stand.times_finished, 1u);
    stand.until_done();
    EXPECT_EQ(stand.reason(), stand.now_allowed.ends_by);
    EXPECT_EQ(stand.to_upstream.size() + stand.to_client.size(), 0u);
    EXPECT_FALSE(stand.relay->client_stream_is_whole() || stand.relay->upstream_stream_is_whole());
    EXPECT_LT(stand.seconds_since(), 1);
  });
}

TEST(OpaqueRelay, EndsWhereItsClientHasGoneBeforeItsStart) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const bool resets = seed % 2 == 0;
    resets ? stand.client->reset() : stand.client->shutdown_write();
    const Buffer said = bytes_of(10, 1);
    stand.start(said);
    if (!resets) {
      stand.until([&] { return stand.upstream->saw_end(); });
      EXPECT_EQ(stand.to_upstream, said);
      stand.upstream_ends = true;
    }
    stand.until_done();
    EXPECT_EQ(stand.reason(), resets ? Reason::kClientReset : Reason::kDone);
    EXPECT_EQ(stand.relay->upstream_stream_is_whole(), !resets);
    EXPECT_LT(stand.seconds_since(), 1);
  });
}

TEST(OpaqueRelay, IsStoppedAtAnyMomentAndSaysWhatItHas) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start(bytes_of(100, 1));
    if (seed % 2 == 0) stand.until([&] { return stand.to_upstream.size() == 100; });
    stand.relay->stop({.reason = Reason::kStopping});
    stand.relay->stop({.reason = Reason::kIdle});
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kStopping) << "the first End wins";
    EXPECT_EQ(stand.to_upstream.size(), 100u);
  });
}

}  // namespace
