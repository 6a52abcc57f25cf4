// Coordinated omission, exactly: schedule and window before a server that stalls, in a time that is
// simulated.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "tools/load/engine/schedule.hh"
#include "tools/load/engine/sequence_window.hh"
#include "tools/load/histogram.hh"

namespace load {
namespace {

using namespace std::chrono_literals;
using Time = Schedule::Time;

constexpr std::size_t kConnections = 10;
constexpr auto kService = 1ms;
const Time kBegin = Time(1s);
const Time kStall = kBegin + 5s;
const Time kStallEnd = kStall + 1s;

// One in flight: what is due waits for the answer to the one before.
struct Peer {
  SequenceWindow window;
  std::deque<Time> owed;
  Time answer = Time::max();

  void send(Time now) {
    if (window.pending() > 0 || owed.empty()) return;
    window.send(owed.front(), now);
    owed.pop_front();
    const bool stalls = now + kService > kStall && now < kStallEnd;
    answer = stalls ? kStallEnd + kService : now + kService;
  }
};

TEST(OpenLoop, ChargesAStallForAllThatItHeldUp) {
  Schedule schedule(1000, Arrival::kEven, kBegin, 1);
  std::vector<Peer> peers(kConnections);
  Histogram from_due;
  Histogram from_sent;
  std::size_t turn = 0;
  for (;;) {
    const auto next = std::ranges::min_element(peers, {}, &Peer::answer);
    const bool more = schedule.next() < kBegin + 10s;
    if (!more && next->answer == Time::max()) break;
    if (more && schedule.next() <= next->answer) {
      Peer& peer = peers[turn++ % kConnections];
      const Time due = schedule.take();
      peer.owed.push_back(due);
      peer.send(due);
      continue;
    }
    const Time now = std::exchange(next->answer, Time::max());
    const auto verdict = next->window.answer_oldest();
    from_due.add(now - verdict.flight.due);
    from_sent.add(now - verdict.flight.sent);
    next->send(now);
  }
  EXPECT_EQ(from_due.count(), 10'000u);
  EXPECT_GE(from_due.quantile(0.99), 800ms);
  EXPECT_LE(from_due.quantile(0.99), 1000ms);
  EXPECT_LT(from_sent.quantile(0.99), 50ms);
  EXPECT_GE(from_sent.max(), 990ms);
}

}  // namespace
}  // namespace load
