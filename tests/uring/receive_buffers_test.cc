// The two rings of receive buffers: queues across both, conservation, and the FIFO of the starved.
#include "uring/receive_buffers.hh"

#include <gtest/gtest.h>

#include <deque>
#include <list>

#include "tests/uring/simulation.hh"

using uring::BufferGroup;
using uring::Received;
using uring::ReceivedQueue;

namespace {

// A place in the FIFO that logs when it is fed.
class Waiting {
 public:
  Waiting(std::vector<int>& fed, int name) : fed_log_(fed), name_(name) {}
  uring::Starved& starved() { return starved_; }

 private:
  void on_fed() { fed_log_.push_back(name_); }
  std::vector<int>& fed_log_;
  int name_;
  uring::ReadyMember<&Waiting::on_fed> fed_{*this};
  uring::Starved starved_{fed_};
};

class ReceiveBuffers : public testing::Test {
 protected:
  void feed() {
    buffers().feed_starved();
    simulation.loop.ready().run(100);
  }
  void push_full(ReceivedQueue& queue, std::uint16_t id) {
    buffers().push(queue, BufferGroup::kSmall, id, 256);
  }
  uring::ReceiveBuffers& buffers() { return *simulation.buffers; }

  Simulation simulation{1, {.calm = true}, {4, 256, 2, 4096}};
};

TEST_F(ReceiveBuffers, QueueInTheOrderOfArrivalAcrossBothGroups) {
  ReceivedQueue queue;
  EXPECT_TRUE(queue.empty());
  buffers().push(queue, BufferGroup::kSmall, 3, 256);
  buffers().push(queue, BufferGroup::kBulk, 1, 4096);
  buffers().push(queue, BufferGroup::kSmall, 0, 1);
  EXPECT_EQ(buffers().lent(), 3u);
  struct Case {
    BufferGroup group;
    std::uint16_t id;
    std::size_t size;
  };
  const Case cases[] = {
      {BufferGroup::kSmall, 3, 256}, {BufferGroup::kBulk, 1, 4096}, {BufferGroup::kSmall, 0, 1}};
  for (const Case& expected : cases) {
    ASSERT_FALSE(queue.empty());
    const Received received = buffers().pop(queue);
    EXPECT_EQ(received.buffer.group, expected.group);
    EXPECT_EQ(received.buffer.number, expected.id);
    EXPECT_EQ(received.bytes.size(), expected.size);
    buffers().give_back(received.buffer);
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(buffers().lent(), 0u);
}

TEST_F(ReceiveBuffers, GiveBackAllEmptiesTheQueue) {
  ReceivedQueue queue;
  for (std::uint16_t id = 0; id < 4; ++id) push_full(queue, id);
  buffers().give_back_all(queue);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(buffers().lent(), 0u);
}

TEST_F(ReceiveBuffers, FeedTheStarvedInOrderAndNotMoreThanThereAreBuffers) {
  ReceivedQueue queue;
  for (std::uint16_t id = 0; id < 4; ++id) push_full(queue, id);
  std::vector<int> fed;
  std::deque<Waiting> waiting;
  for (int name = 0; name < 5; ++name) {
    waiting.emplace_back(fed, name);
    buffers().wait_for_buffer(BufferGroup::kSmall, waiting.back().starved());
  }
  feed();
  EXPECT_TRUE(fed.empty()) << "told of buffers that are not there";
  buffers().give_back(buffers().pop(queue).buffer);
  buffers().give_back(buffers().pop(queue).buffer);
  feed();
  EXPECT_EQ(fed, (std::vector<int>{0, 1}));
  EXPECT_FALSE(waiting[1].starved().waiting());
  EXPECT_TRUE(waiting[2].starved().waiting());
  buffers().give_back_all(queue);
  feed();
  EXPECT_EQ(fed, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(ReceiveBuffers, KeepTheGroupsApart) {
  ReceivedQueue queue;
  for (std::uint16_t id = 0; id < 4; ++id) push_full(queue, id);
  std::vector<int> fed;
  Waiting small(fed, 1);
  Waiting bulk(fed, 2);
  buffers().wait_for_buffer(BufferGroup::kSmall, small.starved());
  buffers().wait_for_buffer(BufferGroup::kBulk, bulk.starved());
  feed();
  EXPECT_EQ(fed, (std::vector<int>{2}));
  buffers().give_back_all(queue);
  feed();
  EXPECT_EQ(fed, (std::vector<int>{2, 1}));
}

TEST_F(ReceiveBuffers, ForgetWhoStopsWaiting) {
  struct Case {
    const char* name;
    std::vector<int> leave;
    std::vector<int> expected;
  };
  const Case cases[] = {
      {"the first", {0}, {1, 2, 3}},     {"the middle", {1}, {0, 2, 3}},
      {"the last", {2}, {0, 1, 3}},      {"all", {0, 1, 2}, {3}},
      {"all backwards", {2, 1, 0}, {3}},
  };
  for (const Case& test : cases) {
    std::vector<int> fed;
    std::deque<Waiting> waiting;
    for (int name = 0; name < 4; ++name) waiting.emplace_back(fed, name);
    const auto wait = [&](int name) {
      buffers().wait_for_buffer(BufferGroup::kSmall, waiting[name].starved());
    };
    for (int name = 0; name < 3; ++name) wait(name);
    for (const int name : test.leave) {
      buffers().stop_waiting(waiting[name].starved());
      EXPECT_FALSE(waiting[name].starved().waiting());
    }
    wait(3);
    feed();
    EXPECT_EQ(fed, test.expected) << test.name;
  }
}

TEST_F(ReceiveBuffers, StayConservedThroughRandomUse) {
  for_each_seed(30, [&](std::uint64_t seed) {
    Dice dice(seed);
    std::vector<std::uint16_t> in_ring{0, 1, 2, 3};
    std::list<Received> held;
    ReceivedQueue queue;
    std::size_t queued = 0;
    for (int step = 0; step < 500; ++step) {
      if (dice.chance(40) && !in_ring.empty()) {
        const std::size_t lent = buffers().lent();
        buffers().push(queue, BufferGroup::kSmall, in_ring.back(), dice.between(1, 256));
        // Else its bytes have joined those of the last one.
        if (buffers().lent() > lent) {
          in_ring.pop_back();
          ++queued;
        }
      } else if (dice.chance(50) && queued > 0) {
        held.push_back(buffers().pop(queue));
        --queued;
      } else if (!held.empty()) {
        in_ring.push_back(held.front().buffer.number);
        buffers().give_back(held.front().buffer);
        held.pop_front();
      }
      ASSERT_EQ(buffers().lent(), 4 - in_ring.size());
      ASSERT_EQ(queue.empty(), queued == 0);
    }
    for (const Received& received : held) buffers().give_back(received.buffer);
    buffers().give_back_all(queue);
  });
}

// A crowd finds the ring empty once, however many they are.
TEST(ReceiveBuffersInTheRing, AreTwiceAsManyAfterEachShortageUntilItIsQuiet) {
  Simulation simulation(1, {.calm = true}, {256, 64, 2, 4096});
  uring::ReceiveBuffers& buffers = *simulation.buffers;
  const auto in_ring = [&] { return buffers.in_ring(BufferGroup::kSmall); };
  const auto quiet_turns = [&](unsigned count) {
    while (count-- > 0) buffers.feed_starved();
    simulation.loop.ready().run(100);
  };
  constexpr std::size_t kLeast = uring::ReceiveBuffers::kSmallInRing;
  EXPECT_EQ(in_ring(), kLeast);
  std::vector<int> fed;
  std::deque<Waiting> waiting;
  for (int name = 0; name < 3; ++name) {
    waiting.emplace_back(fed, name);
    buffers.wait_for_buffer(BufferGroup::kSmall, waiting.back().starved());
  }
  EXPECT_EQ(in_ring(), 2 * kLeast);
  quiet_turns(1);
  EXPECT_EQ(fed.size(), 3u);
  buffers.wait_for_buffer(BufferGroup::kSmall, waiting[0].starved());
  EXPECT_EQ(in_ring(), 4 * kLeast);
  quiet_turns(2 * uring::ReceiveBuffers::kQuietTurns + 1);
  // What comes back stays out, until there are as few as at first.
  ReceivedQueue queue;
  for (std::uint16_t id = 0; id < 4 * kLeast; ++id) {
    buffers.push(queue, BufferGroup::kSmall, id, 64);
  }
  buffers.give_back_all(queue);
  EXPECT_EQ(in_ring(), kLeast);
  EXPECT_EQ(buffers.lent(), 0u);
}

using ReceiveBuffersDeathTest = ReceiveBuffers;

TEST_F(ReceiveBuffersDeathTest, RefuseToComeBackTwice) {
  ReceivedQueue queue;
  buffers().push(queue, BufferGroup::kSmall, 0, 10);
  const Received received = buffers().pop(queue);
  buffers().give_back(received.buffer);
  EXPECT_DEATH(buffers().give_back(received.buffer), "came back twice");
}

TEST_F(ReceiveBuffersDeathTest, RefuseABufferThatDoesNotExist) {
  ReceivedQueue queue;
  EXPECT_DEATH(buffers().push(queue, BufferGroup::kSmall, 4, 10), "names a buffer of ours");
  EXPECT_DEATH(buffers().push(queue, BufferGroup::kSmall, 0, 257), "names a buffer of ours");
}

}  // namespace
