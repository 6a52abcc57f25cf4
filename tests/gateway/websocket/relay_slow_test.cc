// What a relay does with a peer that takes nothing of what waits for it, on the simulated kernel,
// where a peer's system takes no more than the peer reads.
#include "gateway/websocket/relay.hh"
#include "tests/gateway/websocket/relay_stand.hh"

namespace {

using gateway::Party;
using gateway::Reason;
using gateway::RelayPolicy;
using std::chrono::seconds;
using namespace relay_test;

constexpr double kGrace = 4;
// It is looked at every quarter of it.
constexpr double kLatest = kGrace + kGrace / 4 + 0.5;

RelayPolicy with_grace() {
  return {.slow = {.grace = seconds(4), .close_code = 4008}};
}

// Little enough for the relay to take it at once, whoever reads.
Buffer many_frames(ws::Sender sender, int count) {
  Buffer bytes;
  for (int number = 0; number < count; ++number) {
    bytes = bytes + ws_test::frame(sender, kBinary, std::string(100, 'x'));
  }
  return bytes;
}

struct Waiting {
  const char* where;
  int frames;
};
// The simulated kernel takes 4,096 bytes.
constexpr Waiting kWaiting[] = {{"in the kernel", 10}, {"in the gateway, too", 100}};

TEST(RelaySlow, ClosesAClientThatTakesNothing) {
  for (const Waiting& waiting : kWaiting) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      Stand stand(seed, with_grace());
      stand.client_reads = false;
      stand.start();
      stand.upstream_says(many_frames(ws::Sender::kServer, waiting.frames));
      stand.until([&] { return stand.relay->is_closing(); });
      EXPECT_EQ(stand.reason(), Reason::kClientSlow) << waiting.where;
      EXPECT_EQ(stand.relay->close_code(), 4008);
      EXPECT_GE(stand.seconds(), kGrace);
      EXPECT_LT(stand.seconds(), kLatest);
      // If it comes back in time it hears all that was said before.
      stand.client_reads = true;
      stand.until_done();
      EXPECT_EQ(stand.upstream_got(), "88:4008");
      const std::string got = stand.client_got();
      EXPECT_EQ(std::ranges::count(got, ' '), waiting.frames) << got;
      EXPECT_TRUE(got.ends_with(" 88:4008")) << got;
    });
  }
}

TEST(RelaySlow, ClosesAServerThatTakesNothingAndBlamesNoClient) {
  for (const Waiting& waiting : kWaiting) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      Stand stand(seed, with_grace());
      stand.upstream_reads = false;
      stand.start();
      stand.client_says(many_frames(ws::Sender::kClient, waiting.frames));
      stand.until([&] { return stand.relay->is_closing(); });
      EXPECT_EQ(stand.reason(), Reason::kUpstreamSlow) << waiting.where;
      EXPECT_GE(stand.seconds(), kGrace);
      EXPECT_LT(stand.seconds(), kLatest);
      stand.upstream_reads = true;
      stand.until_done();
      EXPECT_EQ(stand.client_got(), "88:1013");
      EXPECT_TRUE(stand.upstream_got().ends_with(" 88:4008")) << stand.upstream_got();
    });
  }
}

// Half of the frame is with the client: nothing can follow it.
TEST(RelaySlow, CutsAClientInTheMiddleOfAFrame) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, with_grace());
    stand.client_reads = false;
    stand.start();
    stand.upstream_says(from_upstream(kBinary, std::string(2'000'000, 'x')));
    stand.until_upstream_got("88:4008");
    EXPECT_LT(stand.seconds(), kLatest) << "the server is told at once";
    stand.until([&] { return stand.relay->has_finished(); });
    EXPECT_EQ(stand.reason(), Reason::kClientSlow);
    EXPECT_FALSE(stand.relay->client_stream_is_whole());
    stand.client_reads = true;
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "82:cut");
  });
}

TEST(RelaySlow, KeepsWhoeverGetsOn) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    const bool is_client = seed % 2 == 0;
    Stand stand(seed, with_grace());
    stand.client_reads = !is_client;
    stand.upstream_reads = is_client;
    stand.start();
    is_client ? stand.upstream_says(from_upstream(kBinary, std::string(2'000'000, 'x')))
              : stand.client_says(from_client(kBinary, std::string(2'000'000, 'x')));
    for (int at = 3; at < 60; at += 3) {
      stand.until([&] { return stand.seconds() > at; });
      (is_client ? stand.client : stand.upstream)->read(1);
    }
    EXPECT_FALSE(stand.relay->is_closing());
    stand.until([&] { return stand.relay->is_closing(); });
    EXPECT_GE(stand.seconds(), 57 + kGrace) << "until it does not";
    stand.client_reads = stand.upstream_reads = true;
    stand.until_done();
  });
}

// It may be waiting for its own words to be taken.
TEST(RelaySlow, ExcusesAServerThatIsNotReadForAClientThatGetsOn) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, with_grace());
    stand.client_reads = stand.upstream_reads = false;
    stand.start();
    stand.upstream_says(from_upstream(kBinary, std::string(2'000'000, 'x')));
    stand.client_says(from_client(kBinary, std::string(10'000, 'x')));
    for (int at = 1; at < 60; ++at) {
      stand.until([&] { return stand.seconds() > at * 0.5; });
      stand.client->read(1);
    }
    EXPECT_FALSE(stand.relay->is_closing());
    stand.client_reads = true;
    stand.until([&] { return stand.relay->is_closing(); });
    EXPECT_GE(stand.seconds(), 59 * 0.5 + kGrace - kGrace / 4) << "since it was last excused";
    EXPECT_EQ(stand.reason(), Reason::kUpstreamSlow) << "it is read now";
    stand.upstream_reads = true;
    stand.until_done();
  });
}

// As an echo whose client reads nothing: whoever stood still first.
TEST(RelaySlow, BlamesTheClientWhereNeitherTakesAnything) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, with_grace());
    stand.client_reads = stand.upstream_reads = false;
    stand.start();
    stand.upstream_says(from_upstream(kBinary, std::string(2'000'000, 'x')));
    stand.client_says(from_client(kBinary, std::string(2'000'000, 'x')));
    // The last that the client takes.
    const double last = static_cast<double>(seed % 4);
    stand.until([&] { return stand.seconds() > last; });
    stand.client->read(1);
    stand.until([&] { return stand.relay->is_closing(); });
    EXPECT_EQ(stand.reason(), Reason::kClientSlow);
    EXPECT_GE(stand.seconds(), last + kGrace);
    EXPECT_LT(stand.seconds(), last + kLatest);
    stand.client_reads = stand.upstream_reads = true;
    stand.until_done();
  });
}

TEST(RelaySlow, CountsFromWhenSomethingWaits) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, with_grace());
    stand.start();
    for (int at = 10; at <= 50; at += 10) {
      stand.until([&] { return stand.seconds() > at; });
      EXPECT_FALSE(stand.relay->is_closing()) << "at " << at;
      stand.upstream_says(from_upstream(kText, "x"));
      stand.client_says(from_client(kText, "y"));
    }
    stand.until_upstream_got("81:y 81:y 81:y 81:y 81:y");
    stand.until_client_got("81:x 81:x 81:x 81:x 81:x");
    stand.client_reads = false;
    stand.until([&] { return stand.seconds() > 60; });
    stand.upstream_says(from_upstream(kText, "x"));
    stand.until([&] { return stand.relay->has_finished(); });
    EXPECT_EQ(stand.reason(), Reason::kClientSlow);
    EXPECT_GE(stand.seconds(), 60 + kGrace);
    EXPECT_LT(stand.seconds(), 60 + kLatest);
    stand.client_reads = true;
    stand.until_done();
  });
}

// Who is not read, since it has sent more than its rates allow, may wait for just that before it
// reads again.
TEST(RelaySlow, ExcusesAClientThatIsPausedByItsRates) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    RelayPolicy policy = with_grace();
    policy.rates.bytes = 2000;
    Stand stand(seed, policy);
    stand.client_reads = false;
    stand.start();
    stand.client_says(many_frames(ws::Sender::kClient, 500));
    stand.upstream_says(many_frames(ws::Sender::kServer, 100));
    stand.until([&] { return stand.relay->is_closing() || stand.seconds() > 5 * kGrace; });
    EXPECT_FALSE(stand.relay->is_closing());
    stand.client_reads = true;
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelaySlow, IsOffUnlessThePolicySaysSoAndMayBeTurnedOff) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    const bool was_on = seed % 2 == 0;
    Stand stand(seed, was_on ? with_grace() : RelayPolicy{});
    stand.client_reads = false;
    stand.start();
    stand.upstream_says(from_upstream(kBinary, std::string(2'000'000, 'x')));
    if (was_on) {
      stand.until([&] { return stand.seconds() > kGrace / 2; });
      stand.now_allowed = {};
    }
    stand.until([&] { return stand.seconds() > 100; });
    EXPECT_FALSE(stand.relay->is_closing());
    stand.client_reads = true;
    stand.until_client_got("82:2000000");
    stand.relay->stop({});
    stand.until_done();
  });
}

}  // namespace
