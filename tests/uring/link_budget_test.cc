// What links have reserved of the budget for batches: much while much is under way, and nothing at
// rest, whichever way they came to rest and whatever form of receiving the kernel has.
#include "tests/uring/sealed_records.hh"
#include "tests/uring/simulation.hh"
#include "uring/link.hh"

namespace {

using Link = uring::Link<RecordSession, RecordSink>;
using uring::Task;

constexpr std::size_t kSent = 2 << 20;
constexpr uring::ReceiveBufferOptions kBuffers{16, 4096, 4, 65536};

// One direction between two peers: what `from` sends goes to `to`.
class OneWay {
 public:
  OneWay(std::uint64_t seed, bool byte_cap)
      : simulation(seed, {.byte_cap = byte_cap, .window = 512 << 10}, kBuffers) {
    source.adopt(simulation.kernel.open_stream(from));
    target.adopt(simulation.kernel.open_stream(to));
  }
  ~OneWay() {
    for (Link* link : {&source, &target}) {
      Task<> closing = link->close();
      closing.start();
      EXPECT_TRUE(simulation.turn_until([&] { return closing.done(); }));
    }
    EXPECT_EQ(pool.committed(), 0u);
  }

  // Until so many bytes have been passed on, or the source has ended.
  Task<> pass(std::size_t most) {
    while (passed < most) {
      const uring::Bytes bytes = co_await source.read_for(target);
      if (bytes.empty()) co_return;
      target.write(bytes);
      passed += bytes.size();
      most_committed = std::max(most_committed, pool.committed());
    }
    source.end_reading_for();
  }

  // The sender sends all that it can, the reader takes what there is, unless it is `stuck`.
  template <class Condition>
  void until(Condition condition, bool stuck = false) {
    EXPECT_TRUE(simulation.turn_until(condition, [&] {
      const std::size_t size = std::min<std::size_t>(kSent - sent, 256 << 10);
      sent += from->write(stream_bytes(1, sent, size));
      if (!stuck) got += to->read(1 << 20).size();
      most_committed = std::max(most_committed, pool.committed());
    }));
  }
  void wait(std::chrono::seconds time) {
    const auto end = simulation.loop.now() + time;
    until([&] { return simulation.loop.now() >= end; });
  }

  Simulation simulation;
  SimulatedKernel::Stream from;
  SimulatedKernel::Stream to;
  uring::BatchPool pool{4 << 20};
  std::vector<std::byte> plaintext = std::vector<std::byte>(64 * 1024);
  uring::LinkResources resources{simulation.loop, *simulation.buffers, pool, plaintext};
  Link source{resources};
  Link target{resources};
  std::size_t sent = 0;
  std::size_t passed = 0;
  std::size_t got = 0;
  std::size_t most_committed = 0;
};

template <class Check>
void for_both_forms(Check check) {
  for (const bool byte_cap : {true, false}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << (byte_cap ? "" : ", one-shot"));
      OneWay way(seed, byte_cap);
      check(way);
      EXPECT_GT(way.most_committed, 0u);
    }
  }
}

TEST(LinkBudget, IsFreeWhenAnAnswerHasBeenSent) {
  for_both_forms([](OneWay& way) {
    Task<> passing = way.pass(kSent);
    passing.start();
    way.until([&] { return way.got == kSent && !way.target.has_unsent(); });
    EXPECT_TRUE(passing.done());
    EXPECT_EQ(way.pool.committed(), 0u);
  });
}

TEST(LinkBudget, IsFreeWhileTwoPeersAreIdle) {
  for_both_forms([](OneWay& way) {
    Task<> passing = way.pass(2 * kSent);
    passing.start();
    way.until([&] { return way.got == kSent; });
    way.wait(3 * uring::Socket::kBulkQuiet);
    EXPECT_FALSE(passing.done());
    EXPECT_EQ(way.pool.committed(), 0u);
    way.source.abort();
    way.until([&] { return passing.done(); });
  });
}

TEST(LinkBudget, IsFreeWhenASourceWasCutAndItsBytesAreSent) {
  for_both_forms([](OneWay& way) {
    Task<> passing = way.pass(kSent);
    passing.start();
    way.until([&] { return way.passed > 400'000; }, true);
    way.source.abort();
    way.until([&] { return passing.done(); }, true);
    way.until([&] { return !way.target.has_unsent(); });
    EXPECT_EQ(way.pool.committed(), 0u);
  });
}

TEST(LinkBudget, IsFreeWhenTheReaderHasReset) {
  for_both_forms([](OneWay& way) {
    Task<> passing = way.pass(kSent);
    passing.start();
    way.until([&] { return way.passed > kSent / 2; });
    way.to->reset();
    way.until([&] { return way.target.send_failed(); });
    way.source.abort();
    way.until([&] { return passing.done() && !way.target.has_unsent(); });
    EXPECT_EQ(way.pool.committed(), 0u);
  });
}

}  // namespace
