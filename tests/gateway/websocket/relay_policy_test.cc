// What a relay does by its policy: pings of its own, and times, on the simulated kernel.
#include "gateway/websocket/relay.hh"
#include "tests/gateway/websocket/relay_stand.hh"

namespace {

using gateway::Party;
using gateway::Reason;
using gateway::RelayPolicy;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace relay_test;

RelayPolicy pings_client() {
  return {.heartbeat = {.ping = seconds(4), .pong_timeout = seconds(2)}};
}
RelayPolicy pings_both() {
  return {.heartbeat = {.ping = seconds(4), .pong_timeout = seconds(2), .to_upstream = true}};
}

TEST(RelayHeartbeat, PingsWhoSaysNothingAndKeepsTheAnswersToItself) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_both());
    stand.start();
    std::string expected;
    for (int count = 0; count < 3; ++count) {
      expected += count == 0 ? "89:ours" : " 89:ours";
      stand.until(
          [&] { return stand.client_got() == expected && stand.upstream_got() == expected; });
      stand.client_says(from_client(kPong, stand.ping_to_client()));
      stand.upstream_says(from_upstream(kPong, stand.ping_to_upstream()));
    }
    stand.client_says(from_client(kText, "still here"));
    stand.until_upstream_got(expected + " 81:still here");
    stand.upstream_says(from_upstream(kText, "so am I"));
    stand.until_client_got(expected + " 81:so am I");
    EXPECT_GE(stand.seconds(), 2 + 4 + 4);
    EXPECT_EQ(stand.relay->from_client().frames, 1u) << "answers to us are no frames of theirs";
    EXPECT_GT(stand.relay->heartbeat_of(Party::kClient)->worst_round_trip().count(), 0);
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayHeartbeat, ClosesAClientThatDoesNotAnswer) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_client());
    stand.start(from_client(kText, "one"));
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "89:ours 88:1011");
    EXPECT_EQ(stand.upstream_got(), "81:one 88:1001");
    EXPECT_EQ(stand.reason(), Reason::kClientNoPong);
    EXPECT_GE(stand.seconds(), 2 + 2) << "the first ping comes after a half of its time or more";
    EXPECT_LT(stand.seconds(), 4 + 2 + 2);
  });
}

TEST(RelayHeartbeat, TakesAServerThatDoesNotAnswerForALostOne) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    RelayPolicy policy = pings_both();
    policy.heartbeat.to_client = false;
    policy.upstream_lost_code = 4001;
    Stand stand(seed, policy);
    stand.start();
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "88:4001");
    EXPECT_EQ(stand.upstream_got(), "89:ours 88:1011");
    EXPECT_EQ(stand.reason(), Reason::kUpstreamNoPong);
  });
}

TEST(RelayHeartbeat, TakesAnyByteForASignOfLifeAndPingsNobodyWhoSpeaks) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_client());
    stand.start();
    for (int second = 1; second < 15; ++second) {
      stand.until([&] { return stand.seconds() > second; });
      stand.client_says(from_client(kText, "x"));
    }
    EXPECT_EQ(stand.client_got(), "");
    // It answers no ping, but begins a frame.
    stand.until_client_got("89:ours");
    stand.client_says({std::byte{0x81}});
    const double until = stand.seconds() + 3;
    stand.until([&] { return stand.seconds() > until; });
    EXPECT_FALSE(stand.done());
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayHeartbeat, PutsItsPingBetweenTwoFramesOfAMessage) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_client());
    auto first = from_upstream(kTextBegins, std::string(30, 'a'));
    const ws_test::Buffer rest(first.begin() + 20, first.end());
    first.resize(20);
    stand.start({}, first);
    stand.until([&] { return stand.seconds() > 5; });
    EXPECT_EQ(stand.client_got(), "01:cut") << "its ping is due";
    stand.upstream_says(rest + from_upstream(kEnds, "b") + from_upstream(kText, "next"));
    stand.until_client_got("01:" + std::string(30, 'a') + " 89:ours 80:b 81:next");
    stand.client_says(from_client(kPong, stand.ping_to_client()));
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayHeartbeat, LeavesThePeersOwnPingsAndPongsAlone) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_client());
    stand.start();
    stand.until_client_got("89:ours");
    const std::string mark = stand.ping_to_client();
    stand.upstream_says(from_upstream(kPing, "theirs"));
    stand.until_client_got("89:ours 89:theirs");
    std::string other = mark;
    other[0] = static_cast<char>(other[0] + 1);
    // Between them, the answer to ours; what is not exactly that passes.
    stand.client_says(from_client(kPong, "theirs") + from_client(kPong, mark) +
                      from_client(kPong, mark + "x") + from_client(kPong, mark.substr(1)) +
                      from_client(kPong, other) + from_client(kPing, "mine") +
                      from_client(kPong, ""));
    stand.until_upstream_got("8a:theirs 8a:" + mark + "x 8a:" + mark.substr(1) + " 8a:" + other +
                             " 89:mine 8a:");
    stand.relay->stop({});
    stand.until_done();
  });
}

// Its pong may be among what is not read.
TEST(RelayHeartbeat, WaitsForAClientThatItDoesNotRead) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_client());
    stand.start();
    stand.upstream_reads = false;
    stand.client_says(from_client(kBinary, std::string(600'000, 'x')));
    stand.until([&] { return stand.seconds() > 30; });
    EXPECT_FALSE(stand.done());
    stand.upstream_reads = true;
    stand.until_upstream_got("82:600000");
    stand.relay->stop({});
    stand.until_done();
  });
}

// All of it is with the kernel: only what its system acknowledges tells that it lives.
TEST(RelayHeartbeat, TakesWhoGetsOnWithWhatWasBeforeThePingForAlive) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_client());
    stand.client_reads = false;
    stand.start();
    stand.upstream_says(from_upstream(kBinary, std::string(3000, 'x')));
    for (int second = 1; second <= 25; ++second) {
      stand.until([&] { return stand.seconds() > second; });
      EXPECT_FALSE(stand.relay->is_closing()) << "at " << second;
      stand.client->read(100);
    }
    stand.until([&] { return stand.relay->is_closing(); });
    EXPECT_EQ(stand.reason(), Reason::kClientNoPong) << "it has read nothing more";
    EXPECT_LT(stand.seconds(), 25 + 2 * 2 + 1);
    stand.client_reads = true;
    stand.until_done();
  });
}

TEST(RelayHeartbeat, FindsWhoDiesBeforeHeHasTakenAll) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_client());
    stand.client_reads = false;
    stand.start();
    stand.upstream_says(from_upstream(kBinary, std::string(3000, 'x')));
    stand.until([&] { return stand.relay->is_closing(); });
    EXPECT_EQ(stand.reason(), Reason::kClientNoPong);
    EXPECT_LT(stand.seconds(), 4 + 2 * 2 + 1);
    stand.client_reads = true;
    stand.until_done();
  });
}

// What has come in the mean time, and was behind the ping, is no sign of life.
TEST(RelayHeartbeat, CountsNothingThatWasSentBehindThePing) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, pings_client());
    stand.start();
    for (double at = 0.5; !stand.relay->is_closing() && at < 60; at += 0.5) {
      stand.until([&] { return stand.relay->is_closing() || stand.seconds() > at; });
      stand.upstream_says(from_upstream(kText, "x"));
    }
    EXPECT_EQ(stand.reason(), Reason::kClientNoPong);
    EXPECT_LT(stand.seconds(), 4 + 2 + 1);
    stand.until_done();
  });
}

TEST(RelayLifetime, ClosesWithItsCode) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.now_allowed = {.idle = seconds(30),
                         .ends_at = stand.simulation.loop.now() + seconds(70),
                         .lifetime_code = 4242};
    stand.start();
    for (int at = 20; at < 70; at += 20) {
      stand.until([&] { return stand.seconds() > at; });
      stand.client_says(from_client(kText, "x"));
    }
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "88:4242");
    EXPECT_EQ(stand.upstream_got(), "81:x 81:x 81:x 88:4242");
    EXPECT_EQ(stand.reason(), Reason::kLifetime);
    EXPECT_GE(stand.seconds(), 70);
    EXPECT_LT(stand.seconds(), 72);
  });
}

TEST(RelayIdle, CountsTheFramesOfThePeersAndNoAnswersToItsOwnPings) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    RelayPolicy policy = pings_client();
    policy.idle = seconds(9);
    Stand stand(seed, policy);
    stand.start();
    std::string answered;
    stand.until([&] {
      const std::string mark = stand.ping_to_client();
      if (mark != answered) stand.client_says(from_client(kPong, mark));
      answered = mark;
      return stand.done();
    });
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kIdle);
    EXPECT_NE(answered, "");
    EXPECT_LT(stand.seconds(), 12);
  });
}

TEST(RelayMessageTime, EndsWhoeverDoesNotFinish) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    const bool client = seed % 2 == 0;
    Stand stand(seed, {.message_time = seconds(5)});
    stand.start();
    const auto says = [&](unsigned first, const char* text) {
      client ? stand.client_says(from_client(first, text))
             : stand.upstream_says(from_upstream(first, text));
    };
    says(kText, "whole");
    says(kTextBegins, "a");
    // Fragments without an end, each well in time.
    for (int at = 1; at < 60 && !stand.done(); ++at) {
      stand.until([&] { return stand.done() || stand.seconds() > at * 0.5; });
      if (!stand.done()) says(kGoesOn, "b");
    }
    stand.until_done();
    EXPECT_EQ(stand.reason(),
              client ? Reason::kClientMessageTimeout : Reason::kUpstreamMessageTimeout);
    EXPECT_TRUE(stand.client_got().ends_with(client ? "88:1008" : "88:1011")) << stand.client_got();
    EXPECT_TRUE(stand.upstream_got().ends_with(client ? "88:1001" : "88:1008"));
    EXPECT_GE(stand.seconds(), 5);
    EXPECT_LT(stand.seconds(), 65);
  });
}

TEST(RelayMessageTime, BeginsAnewWithEachMessage) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.message_time = seconds(5)});
    const auto first = from_client(kBinary, kLong);
    const auto half = first.begin() + 20;
    stand.start({first.begin(), half});
    stand.until([&] { return stand.seconds() > 4; });
    stand.client_says(ws_test::Buffer(half, first.end()) + from_client(kTextBegins, "a"));
    stand.until([&] { return stand.seconds() > 8; });
    EXPECT_FALSE(stand.relay->is_closing());
    stand.client_says(from_client(kEnds, "b"));
    stand.until_upstream_got("82:" + kLong + " 01:a 80:b");
    stand.relay->stop({});
    stand.until_done();
  });
}

}  // namespace
