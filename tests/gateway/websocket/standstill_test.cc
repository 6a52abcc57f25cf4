// Who is judged to stand still, by what an outlet tells of its peer.
#include "gateway/websocket/standstill.hh"

#include <gtest/gtest.h>

#include "tests/uring/simulation.hh"

namespace {

using gateway::Party;
using gateway::Standstill;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kGrace = seconds(4);

// An outlet whose peer is whatever the test says.
struct Outlet {
  struct Taking {
    std::uint64_t taken;
    std::uint64_t left;
    bool is_of_peer;
  };
  std::uint64_t sent_bytes() const { return sent; }
  bool has_unsent() const { return unsent; }
  Taking taking() const { return {taken, left, is_of_peer}; }

  std::uint64_t sent = 0;
  std::uint64_t taken = 0;
  std::uint64_t left = 0;
  bool unsent = false;
  bool is_of_peer = true;
};

struct Watched {
  // Looks at both, with what `step` does before each look; gives who was slow, if anybody was.
  template <class Step>
  std::optional<Party> until(seconds end, Step step, bool client_is_read = true,
                             bool server_is_read = true) {
    const auto begun = simulation.loop.now();
    while (simulation.loop.now() < begun + end) {
      step(std::chrono::duration<double>(simulation.loop.now() - begun).count());
      standstill.look(Party::kClient, client, kGrace);
      standstill.look(Party::kUpstream, server, kGrace);
      for (const auto& [peer, is_read] : {std::pair(Party::kClient, client_is_read),
                                          std::pair(Party::kUpstream, server_is_read)}) {
        const auto answer = standstill.judge(peer, is_read, kGrace);
        if (answer.is_over) return peer;
      }
      simulation.loop.turn(milliseconds(100));
    }
    return std::nullopt;
  }

  Simulation simulation{1, {.window = 4096}};
  Standstill standstill{simulation.loop};
  Outlet client;
  Outlet server;
};

// What lies in a Unix socket costs the kernel more than it has bytes: it may grow faster than all
// that is sent, though the peer reads.
TEST(Standstill, KnowsThatAUnixPeerGetsOn) {
  Watched watched;
  watched.server.is_of_peer = false;
  const auto slow = watched.until(seconds(20), [&](double at) {
    watched.server.sent = watched.server.taken = static_cast<std::uint64_t>(at * 100);
    watched.server.left = static_cast<std::uint64_t>(at * 768);
  });
  EXPECT_FALSE(slow);
  // It reads, and nothing more is sent.
  EXPECT_FALSE(watched.until(seconds(10), [&](double) { watched.server.left -= 10; }));
  EXPECT_EQ(watched.until(seconds(10), [](double) {}), Party::kUpstream);
}

// The server stood still for the client's sake, and is excused up to when that stands, too.
TEST(Standstill, BlamesWhoStoodStillWithoutAnExcuse) {
  Watched watched;
  watched.client.left = watched.server.left = 1000;
  watched.client.unsent = watched.server.unsent = true;
  const auto slow = watched.until(
      seconds(60),
      [&](double at) {
        watched.client.taken = at < 20 ? static_cast<std::uint64_t>(at * 100) : 2000;
      },
      false, false);
  EXPECT_EQ(slow, Party::kClient);
}

}  // namespace
