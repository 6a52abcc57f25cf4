// Many links that shake hands at once: each has its turn, what has come of those who wait holds no
// buffer that others receive with, and who is cut meanwhile does not wait any more.
#include <deque>

#include "tests/uring/sealed_records.hh"
#include "tests/uring/simulation.hh"
#include "uring/link.hh"

namespace {

using Link = uring::Link<RecordSession, RecordSink>;
using uring::Task;

constexpr std::size_t kBuffers = 16;  // more than there are steps in a turn
constexpr std::size_t kCrowd = 40;    // more than there are buffers

class Crowd {
 public:
  explicit Crowd(std::uint64_t seed)
      : simulation(seed, {.calm = true}, {kBuffers, 4096, 4, 65536}),
        plaintext_(64 * 1024),
        resources{simulation.loop, *simulation.buffers, pool_, plaintext_} {}

  struct Client {
    explicit Client(uring::LinkResources& resources) : link(resources) {}
    Task<> shake_hands() {
      done = co_await link.handshake();
      over = true;
    }
    Task<> read() {
      const auto bytes = co_await link.read_once(4096);
      got.assign(bytes.begin(), bytes.end());
      link.release();
    }

    Link link;
    SimulatedKernel::Stream peer;
    Task<> story;
    bool done = false;
    bool over = false;
    std::vector<std::byte> got;
  };

  Client& add(bool shakes_hands = true) {
    Client& client = clients.emplace_back(resources);
    client.link.adopt(simulation.kernel.open_stream(client.peer));
    if (shakes_hands) client.link.secure(std::make_unique<RecordSession>());
    client.story = shakes_hands ? client.shake_hands() : client.read();
    client.story.start();
    return client;
  }
  std::size_t over() const {
    return static_cast<std::size_t>(std::ranges::count_if(clients, &Client::over));
  }
  void close_all() {
    for (Client& client : clients) {
      client.link.abort();
      EXPECT_TRUE(simulation.turn_until([&] { return client.story.done(); }));
      Task<> closing = client.link.close();
      closing.start();
      EXPECT_TRUE(simulation.turn_until([&] { return closing.done(); }));
    }
  }

  Simulation simulation;

 private:
  uring::BatchPool pool_{4 << 20};
  std::vector<std::byte> plaintext_;

 public:
  uring::LinkResources resources;
  std::deque<Client> clients;
};

const std::vector<std::byte> kHello = RecordSession::record(RecordType::kHello);

TEST(LinkHandshakes, LeaveBuffersForOthers) {
  Crowd crowd(1);
  for (std::size_t n = 0; n < kCrowd; ++n) crowd.add();
  Crowd::Client& other = crowd.add(false);
  EXPECT_TRUE(
      crowd.simulation.turn_until([&] { return crowd.simulation.loop.in_flight() > kCrowd; }));
  for (Crowd::Client& client : crowd.clients) {
    if (&client != &other) client.peer->write(kHello);
  }
  other.peer->write(kHello);
  // It is served while most of them wait.
  EXPECT_TRUE(crowd.simulation.turn_until([&] { return !other.got.empty(); }));
  EXPECT_GT(crowd.resources.handshakes_waiting, 0u);
  EXPECT_TRUE(crowd.simulation.turn_until([&] { return crowd.over() == kCrowd; }));
  for (const Crowd::Client& client : crowd.clients) {
    if (&client != &other) {
      EXPECT_TRUE(client.done);
    }
  }
  crowd.close_all();
}

TEST(LinkHandshakes, EndForThoseWhoAreCutWhileTheyWait) {
  Crowd crowd(2);
  for (std::size_t n = 0; n < kCrowd; ++n) crowd.add();
  for (Crowd::Client& client : crowd.clients) client.peer->write(kHello);
  EXPECT_TRUE(crowd.simulation.turn_until([&] { return crowd.over() > 0; }));
  ASSERT_GT(crowd.resources.handshakes_waiting, 0u);
  for (std::size_t n = 1; n < kCrowd; n += 2) crowd.clients[n].link.abort();
  for (std::size_t n = 0; n < kCrowd; n += 4) crowd.clients[n].peer->close();
  EXPECT_TRUE(crowd.simulation.turn_until([&] { return crowd.over() == kCrowd; }));
  for (std::size_t n = 2; n < kCrowd; n += 4) EXPECT_TRUE(crowd.clients[n].done) << n;
  crowd.close_all();
}

// Of those who come while so many wait.
TEST(LinkHandshakes, AreRefusedBeyondABound) {
  constexpr std::size_t kMost = 2;
  Crowd crowd(4);
  crowd.resources.handshakes_waiting_max = kMost;
  for (std::size_t n = 0; n < kCrowd; ++n) crowd.add();
  EXPECT_TRUE(
      crowd.simulation.turn_until([&] { return crowd.simulation.loop.in_flight() == kCrowd; }));
  for (Crowd::Client& client : crowd.clients) client.peer->write(kHello);
  EXPECT_TRUE(crowd.simulation.turn_until([&] { return crowd.over() == kCrowd; }));
  std::size_t refused = 0;
  for (const Crowd::Client& client : crowd.clients) {
    EXPECT_NE(client.done, client.link.was_refused());
    refused += client.link.was_refused() ? 1 : 0;
  }
  EXPECT_GT(refused, 0u);
  EXPECT_LE(refused, kCrowd - kMost);
  EXPECT_EQ(crowd.resources.handshakes_waiting, 0u);
  crowd.close_all();
}

// What comes right behind a hello is the reader's.
TEST(LinkHandshakes, KeepWhatHasComeBehind) {
  Crowd crowd(3);
  for (std::size_t n = 0; n < kCrowd; ++n) crowd.add();
  const auto word_of = [](std::size_t n) { return std::vector<std::byte>(10, std::byte(n)); };
  for (std::size_t n = 0; n < kCrowd; ++n) {
    std::vector<std::byte> said = kHello;
    const auto data = RecordSession::record(RecordType::kData, word_of(n));
    said.insert(said.end(), data.begin(), data.end());
    crowd.clients[n].peer->write(said);
  }
  EXPECT_TRUE(crowd.simulation.turn_until([&] { return crowd.over() == kCrowd; }));
  for (std::size_t n = 0; n < kCrowd; ++n) {
    Crowd::Client& client = crowd.clients[n];
    ASSERT_TRUE(client.done);
    if (n % 3 == 0) client.link.drop_input();
    if (n % 3 == 1) client.link.abort();
    client.story = client.read();
    client.story.start();
    if (n % 3 == 0) client.peer->close();
    EXPECT_TRUE(crowd.simulation.turn_until([&] { return client.story.done(); }));
    EXPECT_EQ(client.got, n % 3 == 2 ? word_of(n) : std::vector<std::byte>());
  }
  crowd.close_all();
}

}  // namespace
