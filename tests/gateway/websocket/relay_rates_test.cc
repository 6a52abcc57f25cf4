// What a relay does with a client that sends more than its rates allow, on the simulated kernel.
#include "gateway/websocket/relay.hh"
#include "tests/gateway/websocket/relay_stand.hh"

namespace {

using gateway::Reason;
using gateway::RelayPolicy;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace relay_test;

struct Excess {
  const char* name;
  gateway::ClientRates rates;
  ws_test::Buffer frame;
};

// Each allows ten of the frames in a second.
std::vector<Excess> excesses() {
  return {{"messages", {.messages = 10}, from_client(kText, "x")},
          {"bytes", {.bytes = 10 * 106}, from_client(kBinary, std::string(100, 'x'))},
          {"control frames", {.control_frames = 10}, from_client(kPing, "x")}};
}

TEST(RelayRates, CloseWhoSendsMore) {
  for (const Excess& excess : excesses()) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      RelayPolicy policy{.rates = excess.rates};
      policy.rates.closes = true;
      Stand stand(seed, policy);
      stand.start();
      for (int count = 0; count < 30; ++count) stand.client_says(excess.frame);
      stand.until_done();
      EXPECT_EQ(stand.reason(), Reason::kClientOverRate) << excess.name;
      EXPECT_EQ(stand.client_got(), "88:1008");
      EXPECT_TRUE(stand.upstream_got().ends_with(" 88:1008")) << stand.upstream_got();
    });
  }
}

TEST(RelayRates, DelayWhoSendsMoreAndLoseNothing) {
  for (const Excess& excess : excesses()) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      Stand stand(seed, {.rates = excess.rates});
      stand.start();
      // One receive takes up to half of them: the debt is paid before the next.
      std::string expected;
      for (int count = 0; count < 1200; ++count) {
        stand.client_says(excess.frame);
        expected += expected.empty() ? "" : " ";
        expected += relay_test::told(excess.frame, ws::Sender::kClient);
      }
      stand.until([&] { return stand.relay->from_client().frames == 1200; });
      stand.until_upstream_got(expected);
      EXPECT_GE(stand.seconds(), 30) << excess.name;
      stand.upstream_says(from_upstream(kText, "as fast as you like"));
      stand.until_client_got("81:as fast as you like");
      stand.relay->stop({});
      stand.until_done();
      EXPECT_EQ(stand.upstream_got(), expected) << excess.name;
    });
  }
}

TEST(RelayRates, LetWhoeverKeepsThemSendABurst) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.rates = {.messages = 10, .burst = seconds(2), .closes = true}});
    stand.start();
    for (int round = 0; round < 5; ++round) {
      stand.until([&] { return stand.seconds() > round * 2.1; });
      for (int count = 0; count < 20; ++count) stand.client_says(from_client(kText, "x"));
    }
    stand.until([&] { return stand.seconds() > 12; });
    EXPECT_FALSE(stand.done());
    EXPECT_EQ(stand.relay->from_client().messages, 100u);
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayRates, CountFromWhenTheyHold) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    for (int count = 0; count < 500; ++count) stand.client_says(from_client(kText, "x"));
    stand.until([&] { return stand.relay->from_client().messages == 500; });
    stand.now_allowed.rates = {.messages = 10, .closes = true};
    stand.until([&] { return stand.seconds() > 61; });
    stand.client_says(from_client(kText, "x"));
    stand.until([&] { return stand.relay->from_client().messages == 501; });
    EXPECT_FALSE(stand.relay->is_closing());
    stand.relay->stop({});
    stand.until_done();
  });
}

// It has sent more than these allow, when others allowed it.
TEST(RelayRates, CloseNobodyForWhatOthersOnlySlowedDown) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.rates = {.messages = 10}});
    stand.start();
    const auto message = from_client(kText, std::string(1000, 'x'));
    for (int count = 0; count < 630; ++count) stand.client_says(message);
    stand.now_allowed.rates = {.messages = 1000, .burst = milliseconds(200), .closes = true};
    stand.until([&] { return stand.seconds() > 65; });
    EXPECT_FALSE(stand.done());
    EXPECT_EQ(stand.relay->from_client().messages, 630u);
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayRates, LeaveACloseFrameTheLastOne) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.rates = {.messages = 10, .closes = true}});
    stand.start();
    ws_test::Buffer all;
    for (int count = 0; count < 30; ++count) all = all + from_client(kText, "x");
    stand.client_says(all + from_client(kClose, code(1000)));
    stand.upstream_says(from_upstream(kClose, code(1000)));
    stand.until_done();
    const std::string got = stand.upstream_got();
    EXPECT_EQ(got.find("88:"), got.rfind("88:")) << got;
  });
}

TEST(RelayRates, PauseNoClosing) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.rates = {.messages = 10}});
    stand.start();
    for (int count = 0; count < 300; ++count) stand.client_says(from_client(kText, "x"));
    stand.until([&] { return stand.relay->from_client().messages > 20; });
    stand.client_says(from_client(kClose, code(3000)));
    stand.upstream_says(from_upstream(kClose, code(3000)));
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kDone);
    EXPECT_TRUE(stand.upstream_got().ends_with("88:3000"));
    EXPECT_EQ(stand.relay->from_client().messages, 300u);
  });
}

TEST(RelayRates, LoseNothingOfAClientThatLeaves) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.rates = {.messages = 50}});
    stand.start();
    for (int count = 0; count < 1500; ++count) stand.client_says(from_client(kText, "x"));
    stand.until([&] { return stand.relay->from_client().messages > 800; });
    bool left = false;
    stand.until([&] {
      if (!left && stand.has_said_all()) {
        stand.client->shutdown_write();
        left = true;
      }
      return left && stand.upstream->saw_end();
    });
    EXPECT_EQ(stand.relay->from_client().messages, 1500u);
    stand.upstream->shutdown_write();
    stand.until_done();
  });
}

// At one message a second what was sent would take minutes.
TEST(RelayRates, EndTheirPauseWhereTheyAreGone) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.rates = {.messages = 1}});
    stand.start();
    for (int count = 0; count < 1200; ++count) stand.client_says(from_client(kText, "x"));
    stand.until([&] { return stand.seconds() > 10; });
    EXPECT_LT(stand.relay->from_client().messages, 1200u);
    stand.now_allowed.rates = {};
    stand.until([&] { return stand.relay->from_client().messages == 1200; });
    EXPECT_LE(stand.seconds(), 70);
    EXPECT_GT(stand.relay->pushed_back(gateway::Party::kClient), seconds(5));
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayRates, MayComeAndGoWhileAClientIsPaused) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    RelayPolicy policy{.rates = {.messages = 1}};
    policy.report_every = policy.first_report = std::chrono::milliseconds(100);
    Stand stand(seed, policy);
    stand.start();
    for (int count = 0; count < 3000; ++count) stand.client_says(from_client(kText, "x"));
    std::size_t seen = 0;
    stand.until([&] {
      if (stand.reports.size() != seen) {
        seen = stand.reports.size();
        stand.now_allowed.rates.messages = seen % 2;
      }
      return stand.relay->from_client().messages == 3000;
    });
    stand.relay->stop({});
    stand.until_done();
  });
}

// Of a client that nothing held up before: what it may send already passes, and no more.
class RelayRatesThatCome : public testing::Test {
 protected:
  static constexpr int kMessages = 1200;

  // They hold from the next look at the policy on, and the client sends more.
  static void let_pause(Stand& stand, const gateway::ClientRates& rates) {
    stand.start();
    stand.client_says(from_client(kText, "x"));
    stand.until_upstream_got("81:x");
    stand.now_allowed.rates = rates;
    stand.until([&] { return stand.seconds() > 61; });
    EXPECT_EQ(stand.relay->pushed_back(gateway::Party::kClient).count(), 0);
    const auto message = from_client(kText, std::string(100, 'x'));
    for (int count = 1; count < kMessages; ++count) stand.client_says(message);
    stand.until([&] { return pushed_back(stand) > seconds(2); });
    EXPECT_FALSE(stand.relay->is_closing());
    EXPECT_LT(stand.relay->from_client().messages, kMessages / 2);
  }
  static milliseconds pushed_back(const Stand& stand) {
    return stand.relay->pushed_back(gateway::Party::kClient);
  }
};

TEST_F(RelayRatesThatCome, DelayItAndLoseNothing) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    let_pause(stand, {.messages = 10});
    stand.until([&] { return stand.relay->from_client().messages == kMessages; });
    EXPECT_GE(stand.seconds(), 61 + 100);
    EXPECT_GT(pushed_back(stand), seconds(90));
    std::string expected = "81:x";
    for (int count = 1; count < kMessages; ++count) expected += " 81:100";
    stand.until_upstream_got(expected);
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST_F(RelayRatesThatCome, HoldUpNoReset) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    let_pause(stand, {.messages = 1});
    const double begun = stand.seconds();
    stand.client->reset();
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kClientReset);
    EXPECT_LT(stand.seconds(), begun + 1);
  });
}

// At one message a second what was sent would take minutes.
TEST_F(RelayRatesThatCome, MayGoAgain) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    let_pause(stand, {.messages = 1});
    stand.now_allowed.rates = {};
    stand.until([&] { return stand.relay->from_client().messages == kMessages; });
    EXPECT_LE(stand.seconds(), 61 + 61);
    const double begun = stand.seconds();
    for (int count = 0; count < kMessages; ++count) stand.client_says(from_client(kText, "x"));
    stand.until([&] { return stand.relay->from_client().messages == 2 * kMessages; });
    EXPECT_LT(stand.seconds(), begun + 2) << "nothing delays it any more";
    stand.relay->stop({});
    stand.until_done();
  });
}

TEST(RelayRates, HoldUpNoEnd) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {.rates = {.messages = 1}});
    stand.start();
    for (int count = 0; count < 100; ++count) stand.client_says(from_client(kText, "x"));
    stand.until([&] { return stand.seconds() > 3; });
    if (seed % 2 == 0) {
      stand.client->reset();
    } else {
      stand.relay->stop({.reason = Reason::kStopping});
    }
    stand.until_done();
    EXPECT_LT(stand.seconds(), 20);
  });
}

}  // namespace
