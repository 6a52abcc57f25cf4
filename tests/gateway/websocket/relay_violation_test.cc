// What a relay does when a peer breaks a rule, on the simulated kernel.
#include "gateway/websocket/relay.hh"
#include "tests/gateway/websocket/relay_stand.hh"

namespace {

using gateway::Reason;
using namespace relay_test;

TEST(RelayViolation, TellsBothSidesOfAViolation) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const bool client_breaks = seed % 2 == 0;
    stand.start();
    // Masked where it must not be, and the other way round.
    if (client_breaks) {
      stand.client_says(from_client(kText, "good") + from_upstream(kText, "bad"));
    } else {
      stand.upstream_says(from_upstream(kText, "good") + from_client(kText, "bad"));
    }
    stand.until_done();
    EXPECT_EQ(stand.upstream_got(), client_breaks ? "81:good 88:1002" : "88:1002");
    EXPECT_EQ(stand.client_got(), client_breaks ? "88:1002" : "81:good 88:1011");
    EXPECT_EQ(stand.reason(),
              client_breaks ? Reason::kClientViolation : Reason::kUpstreamViolation);
  });
}

// Whoever got a part of the text gets no close frame behind it; and nobody is waited for.
TEST(RelayViolation, EndsBothSidesAtOnceWhereATextIsNoText) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const bool client_breaks = seed % 2 == 0;
    const std::string text = kLong + "\xc3(" + kLong;
    stand.start();
    if (client_breaks) {
      stand.client_says(from_client(kText, "good") + from_client(kText, text));
    } else {
      stand.upstream_says(from_upstream(kText, "good") + from_upstream(kText, text));
    }
    stand.until_done();
    EXPECT_EQ(stand.upstream_got(), client_breaks ? "81:good 81:cut" : "88:1007");
    EXPECT_EQ(stand.client_got(), client_breaks ? "88:1007" : "81:good 81:cut");
    EXPECT_EQ(stand.reason(),
              client_breaks ? Reason::kClientViolation : Reason::kUpstreamViolation);
    EXPECT_EQ(stand.relay->client_stream_is_whole(), client_breaks);
    EXPECT_EQ(stand.relay->upstream_stream_is_whole(), !client_breaks);
    EXPECT_LT(stand.seconds(), 1);
    const auto broken = stand.relay->broken_rule();
    ASSERT_TRUE(broken.has_value());
    EXPECT_EQ(broken->violation, ws::Violation::kInvalidUtf8);
    EXPECT_EQ(broken->frame, 2u);
    EXPECT_EQ(broken->offset, client_breaks ? 10u + 6 + 31 : 6u + 2 + 31);
    EXPECT_FALSE(stand.relay->was_cut_short());
  });
}

TEST(RelayViolation, TellsBothSidesOfATextThatEndsInsideACharacter) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    stand.start();
    stand.upstream_says(from_upstream(0x01, "\xc3") + from_upstream(0x80, ""));
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "01:\xc3 88:1011");
    EXPECT_EQ(stand.upstream_got(), "88:1007");
    EXPECT_TRUE(stand.relay->client_stream_is_whole());
  });
}

TEST(RelayViolation, WaitsForNoEndOfATextThatIsNone) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed);
    const auto frame = from_upstream(kText, kLong + "\xff");
    stand.start({}, first_part(frame));
    stand.relay->stop({.reason = Reason::kStopping}, std::chrono::seconds(60));
    stand.until_client_got("81:cut");
    stand.upstream_says({frame.begin() + 20, frame.end()});
    stand.until_done();
    EXPECT_EQ(stand.client_got(), "81:cut");
    EXPECT_EQ(stand.upstream_got(), "88:1001");
    EXPECT_EQ(stand.reason(), Reason::kStopping);
    EXPECT_TRUE(stand.relay->was_cut_short());
    EXPECT_FALSE(stand.relay->broken_rule().has_value());
    EXPECT_LT(stand.seconds(), 1);
  });
}

TEST(RelayViolation, TellsBothSidesOfWhatIsTooLarge) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {}, {.frame_bytes_max = 20, .message_bytes_max = 30});
    const bool client_breaks = seed % 2 == 0;
    stand.start();
    const std::string all(20, 'x');
    if (client_breaks) {
      stand.client_says(from_client(kBinary, all) + from_client(kBinary, all + "x"));
    } else {
      stand.upstream_says(from_upstream(0x02, all) + from_upstream(0x80, all));
    }
    stand.until_done();
    EXPECT_EQ(stand.upstream_got(), client_breaks ? "82:" + all + " 88:1009" : "88:1009");
    EXPECT_EQ(stand.client_got(), client_breaks ? "88:1009" : "02:" + all + " 88:1011");
  });
}

// Where nothing is validated a close frame may say any code, 0 too: it is the first one all the same.
TEST(RelayViolation, KnowsWhoHasClosedWithoutACodeThatIsOne) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, {}, {.validation = ws::Validation::kOff});
    stand.start();
    stand.client_says(from_client(kClose, code(0)));
    stand.until_upstream_got("88:0");
    stand.upstream_says(from_upstream(kClose, code(1000)));
    stand.until_done();
    EXPECT_EQ(stand.relay->closed_by(), gateway::Party::kClient);
    EXPECT_EQ(stand.relay->close_code(), 0);
  });
}

}  // namespace
