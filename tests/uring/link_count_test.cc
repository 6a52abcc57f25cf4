// What a link counts from a certain point on: bytes as its socket carries them, and the time for
// which it was held back.
#include "tests/uring/sealed_records.hh"
#include "tests/uring/simulation.hh"
#include "uring/link.hh"

namespace {

using Link = uring::Link<RecordSession, RecordSink>;
using uring::Task;

class Stand {
 public:
  Stand(std::uint64_t seed, bool sealed) : simulation(seed, {.window = 16 << 10}) {
    link.adopt(simulation.kernel.open_stream(peer));
    other.adopt(simulation.kernel.open_stream(others_peer));
    if (sealed) link.secure(std::make_unique<RecordSession>());
  }
  ~Stand() {
    for (Link* one : {&link, &other}) {
      Task<> closing = one->close();
      closing.start();
      EXPECT_TRUE(simulation.turn_until([&] { return closing.done(); }));
    }
  }

  void let_peer_get(std::size_t bytes) {
    EXPECT_TRUE(simulation.turn_until([&] { return got >= bytes && !link.has_unsent(); },
                                      [&] { got += peer->read(1 << 20).size(); }));
  }
  Task<> pass_on() {
    for (;;) {
      const uring::Bytes bytes = co_await other.read_for(link);
      if (bytes.empty()) break;
      link.write(bytes);
    }
  }

  Simulation simulation;
  SimulatedKernel::Stream peer;
  SimulatedKernel::Stream others_peer;
  uring::BatchPool pool{4 << 20};
  std::vector<std::byte> plaintext = std::vector<std::byte>(64 * 1024);
  uring::LinkCounts of_clients;
  uring::LinkCounts of_servers;
  uring::LinkResources resources{.loop = simulation.loop,
                                 .buffers = *simulation.buffers,
                                 .pool = pool,
                                 .plaintext = plaintext,
                                 .counts = {&of_clients, &of_servers}};
  Link link{resources, uring::LinkSide::kClients};
  Link other{resources, uring::LinkSide::kServers};
  std::size_t got = 0;
};

// As many as its peer gets behind what was written before, on their way or not.
TEST(LinkCount, IsOfWhatIsWrittenBehindIt) {
  for (const bool sealed : {false, true}) {
    for_each_seed(20, [&](std::uint64_t seed) {
      Stand stand(seed, sealed);
      const std::vector<std::byte> head(100, std::byte{'h'});
      const std::vector<std::byte> frame(50, std::byte{'f'});
      stand.link.write(head);
      if (seed % 2 == 0) stand.let_peer_get(head.size());
      stand.link.count_from_here(7);
      EXPECT_EQ(stand.link.written_bytes(), 0u);
      EXPECT_EQ(stand.link.received_bytes(), 7u);
      stand.link.write(frame);
      const std::size_t counted = stand.link.written_bytes();
      const auto bytes_of = [&](const std::vector<std::byte>& bytes) {
        return sealed ? RecordSession::record(RecordType::kData, bytes).size() : bytes.size();
      };
      EXPECT_EQ(counted, bytes_of(frame));
      stand.let_peer_get(bytes_of(head) + bytes_of(frame));
      EXPECT_EQ(stand.got, bytes_of(head) + bytes_of(frame)) << "it is sealed once";
      EXPECT_EQ(stand.link.written_bytes(), counted);
    });
  }
}

TEST(LinkCount, IsNothingWhereWhatWasBeforeIsNotTaken) {
  for_each_seed(20, [](std::uint64_t seed) {
    Stand stand(seed, false);
    stand.link.write(std::vector<std::byte>(100'000, std::byte{'h'}));
    stand.link.count_from_here(0);
    stand.peer->reset();
    EXPECT_TRUE(stand.simulation.turn_until([&] { return stand.link.send_failed(); }));
    EXPECT_EQ(stand.link.written_bytes(), 0u);
  });
}

TEST(LinkCount, HasTheTimeForWhichItIsHeldBackAndNoOther) {
  for_each_seed(20, [](std::uint64_t seed) {
    Stand stand(seed, false);
    uring::LinkSends to_one;
    uring::LinkSends to_other;
    stand.link.count_sends_in(&to_one);
    stand.other.count_sends_in(&to_other);
    Task<> passing = stand.pass_on();
    passing.start();
    std::size_t sent = 0;
    bool reads = false;
    const auto act = [&] {
      if (sent < 1'000'000) sent += stand.others_peer->write(std::vector<std::byte>(10'000));
      if (reads) stand.got += stand.peer->read(1 << 20).size();
    };
    const auto until = [&](const auto& condition) {
      EXPECT_TRUE(stand.simulation.turn_until(condition, act));
    };
    const auto now = [&] { return stand.simulation.loop.now(); };
    const auto wait = [&](std::chrono::seconds time) {
      until([&, end = now() + time] { return now() >= end; });
    };
    wait(std::chrono::seconds(1));  // until nothing moves any more
    const auto stuck = now();
    const auto before = stand.other.held_back_time();
    wait(std::chrono::seconds(10));
    // Both ends of it are in whole milliseconds.
    const auto difference = now() - stuck - (stand.other.held_back_time() - before);
    EXPECT_LE(std::chrono::abs(difference), std::chrono::milliseconds(1));
    reads = true;
    until([&] { return stand.got >= 1'000'000; });
    const auto at_rest = stand.other.held_back_time();
    wait(std::chrono::seconds(10));
    EXPECT_EQ(stand.other.held_back_time(), at_rest);
    EXPECT_EQ(stand.link.held_back_time().count(), 0);
    // The same, of the side of each.
    EXPECT_EQ(stand.of_servers.held_back_ms, static_cast<std::uint64_t>(at_rest.count()));
    EXPECT_GE(stand.of_servers.held_back, 1u);
    EXPECT_EQ(stand.of_clients.held_back, 0u);
    EXPECT_EQ(stand.of_servers.received_bytes, sent);
    EXPECT_EQ(stand.of_clients.sent_bytes, stand.got);
    EXPECT_GT(stand.of_servers.receives, 1u);
    EXPECT_GT(stand.of_clients.sends, 1u);
    EXPECT_EQ(stand.of_servers.sends + stand.of_clients.receives, 0u);
    // And for who has named himself.
    EXPECT_EQ(to_one.sends, stand.of_clients.sends);
    EXPECT_EQ(to_one.sent_bytes, stand.of_clients.sent_bytes);
    EXPECT_EQ(to_other.held_back, stand.of_servers.held_back);
    EXPECT_EQ(to_other.held_back_ms, stand.of_servers.held_back_ms);
    EXPECT_EQ(to_one.held_back_ms + to_other.sends, 0u);
    stand.other.count_from_here(0);
    EXPECT_EQ(stand.other.held_back_time().count(), 0);
    stand.other.abort();
    until([&] { return passing.done(); });
  });
}

}  // namespace
