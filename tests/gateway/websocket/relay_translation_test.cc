// A relay whose client compresses and whose server does not, on the simulated kernel: what waits
// for room or for the next turn, and what ends it meanwhile.
#include "gateway/websocket/relay.hh"
#include "tests/gateway/websocket/relay_stand.hh"
#include "tests/gateway/websocket/zlib_peer.hh"

namespace {

using gateway::Reason;
using namespace relay_test;
using zlib_peer::deflated;
using zlib_peer::Inflate;
using zlib_peer::prose;

constexpr unsigned kRsv1 = 0x40;
constexpr std::uint64_t kSomeSeeds = 5;
constexpr std::size_t kMuch = 400'000;  // more than may be under way
const gateway::TranslatedRules kRules = {.of_client = {.rsv_allowed = ws::kRsv1}, .of_server = {}};

TEST(RelayTranslation, SpeaksDeflateWithTheClientAndPlainWithTheServer) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.start();
    const std::string text = prose(500);
    stand.client_says(from_client(kText | kRsv1, deflated(text)));
    stand.client_says(from_client(kPing, "x"));
    stand.until([&] { return stand.upstream_got().ends_with(" 89:x"); });
    EXPECT_EQ(stand.upstream_payload_bytes(), 500u);
    stand.upstream_says(from_upstream(kText, text) + from_upstream(kPong, "x"));
    stand.until([&] { return stand.client_got().ends_with(" 8a:x"); });
    EXPECT_TRUE(stand.client_got().starts_with("c1:")) << stand.client_got();  // one frame
    EXPECT_EQ(stand.relay->from_client().compressed_messages, 1u);
    EXPECT_EQ(stand.relay->from_upstream().compressed_messages, 1u);
    stand.client_says(from_client(kClose, code(4001)));
    stand.until([&] { return stand.upstream_got().ends_with(" 89:x 88:4001"); });
    stand.upstream_says(from_upstream(kClose, code(4001)));
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kDone);
  });
}

TEST(RelayTranslation, TakesWhatCameBehindTheHeads) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.start(from_client(kText | kRsv1, deflated("early")), from_upstream(kText, "too"));
    stand.until_upstream_got("81:early");
    stand.until_client_got("81:too");
    stand.relay->stop({.reason = Reason::kStopping});
    stand.until_done();
  });
}

// A thousandth of what it becomes, which the server takes slowly: nothing is lost, and what waits
// does so in the client's socket.
TEST(RelayTranslation, WaitsForWhoTakesWhatBecomesMore) {
  for_each_seed(kSomeSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.start();
    const std::string zeros(kMuch, '\0');
    stand.upstream_reads = false;
    stand.client_says(from_client(kBinary | kRsv1, deflated(zeros)) + from_client(kText, "behind"));
    stand.until([&] { return stand.seconds() > 30; });
    EXPECT_FALSE(stand.done());
    EXPECT_GT(stand.relay->pushed_back(gateway::Party::kClient), std::chrono::seconds(20));
    stand.upstream_reads = true;
    stand.until([&] { return stand.upstream_got().ends_with("behind"); });
    EXPECT_EQ(stand.upstream_payload_bytes(), zeros.size() + 6);
    stand.relay->stop({.reason = Reason::kStopping});
    stand.until_done();
    EXPECT_TRUE(stand.upstream_got().ends_with("88:1001")) << stand.upstream_got();
  });
}

// In mid-message, where it waits: a close frame goes at once, the rest of the message never.
TEST(RelayTranslation, IsStoppedWhileItWaits) {
  for_each_seed(kSomeSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.start();
    stand.upstream_reads = false;
    stand.client_says(from_client(kBinary | kRsv1, deflated(std::string(kMuch, 'a'))));
    stand.until([&] { return stand.seconds() > 5; });
    stand.relay->stop({.reason = Reason::kStopping});
    stand.upstream_reads = true;
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "88:1001");
    EXPECT_TRUE(stand.upstream_got().ends_with("88:1001")) << stand.upstream_got().substr(0, 200);
    EXPECT_LT(stand.upstream_payload_bytes(), kMuch);
  });
}

TEST(RelayTranslation, EndsWithAPeerThatLeavesWhileItWaits) {
  for_each_seed(kSomeSeeds, [](std::uint64_t seed) {
    for (const bool client : {true, false}) {
      Stand stand(seed, kRules);
      stand.start();
      stand.upstream_reads = false;
      stand.client_says(from_client(kBinary | kRsv1, deflated(std::string(kMuch, 'a'))));
      stand.until([&] { return stand.seconds() > 5; });
      (client ? stand.client : stand.upstream)->reset();
      stand.until([&] { return stand.relay->has_finished(); });
      stand.upstream_reads = true;
      stand.until_done();
      EXPECT_EQ(stand.reason(), client ? Reason::kClientReset : Reason::kUpstreamReset);
    }
  });
}

TEST(RelayTranslation, JudgesWhatAMessageBecomes) {
  for_each_seed(kSomeSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.inflated_bytes_max = 100'000;
    stand.start();
    stand.client_says(from_client(kBinary | kRsv1, deflated(std::string(kMuch, 'a'))));
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kClientViolation);
    EXPECT_EQ(stand.client_got(), "88:1009");
    EXPECT_TRUE(stand.upstream_got().ends_with("88:1009")) << stand.upstream_got();
    EXPECT_LE(stand.upstream_payload_bytes(), 100'000u);
    ASSERT_TRUE(stand.relay->broken_rule());
    EXPECT_EQ(stand.relay->broken_rule()->violation, ws::Violation::kMessageTooLarge);
    EXPECT_EQ(stand.relay->broken_rule()->frame, 1u);
  });
}

// The scanner has seen more by then, and what is wrong there.
TEST(RelayTranslation, TellsWhereAMessageBreaksARule) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.start();
    const Buffer fine = from_client(kText | kRsv1, deflated("fine"));
    const Buffer bad = from_client(kText | kRsv1, deflated("caf\xff"));
    stand.client_says(fine + bad + from_client(kText, "behind") + from_client(0xf0, "wrong, too"));
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kClientViolation);
    const auto rule = stand.relay->broken_rule();
    ASSERT_TRUE(rule);
    EXPECT_EQ(rule->violation, ws::Violation::kInvalidUtf8);
    EXPECT_EQ(rule->frame, 2u);
    EXPECT_GT(rule->offset, fine.size());
    EXPECT_LE(rule->offset, fine.size() + bad.size());
  });
}

// What a translation keeps for the next message does not hold up what follows from this one.
TEST(RelayTranslation, ClosesOnceWhoseContextIsKept) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.keeps_contexts = true;
    stand.client_reads = false;
    stand.start();
    for (int count = 0; count < 20; ++count)
      stand.upstream_says(from_upstream(kBinary, zlib_peer::noise(4000)));
    stand.upstream_says(from_upstream(kClose, code(1000)));
    stand.until([&] { return stand.seconds() > 1; });
    stand.client_reads = true;
    stand.until([&] { return stand.relay->is_closing(); });
    stand.relay->stop({.reason = Reason::kStopping});
    stand.until_done();
    EXPECT_TRUE(stand.client_got().ends_with(" 88:1000")) << stand.client_got();
    EXPECT_EQ(stand.relay->close_code(), 1000);
  });
}

TEST(RelayTranslation, EndsWhereThereIsNoMemoryToInflateWith) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.codecs = std::make_unique<gateway::Codecs>(1000);
    stand.start();
    stand.client_says(from_client(kText | kRsv1, deflated("x")));
    stand.until_done();
    EXPECT_EQ(stand.reason(), Reason::kInflateShortage);
    EXPECT_EQ(stand.client_got(), "88:1013");
    EXPECT_EQ(stand.upstream_got(), "88:1013");
  });
}

TEST(RelayTranslation, PingsBetweenTheFramesThatItMakes) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kRules);
    stand.now_allowed.heartbeat = {.ping = std::chrono::seconds(5),
                                   .pong_timeout = std::chrono::seconds(60)};
    stand.start();
    // In the middle of a frame of the server's: what came of it is a whole one for the client.
    stand.upstream_says(first_part(from_upstream(kText, kLong)));
    const std::string begun = "01:" + std::string(18, 'x') + " 89:ours";
    stand.until_client_got(begun);
    stand.relay->stop({.reason = Reason::kStopping});
    stand.until_done();
    EXPECT_EQ(stand.client_got(), begun + " 88:1001");
  });
}

}  // namespace
