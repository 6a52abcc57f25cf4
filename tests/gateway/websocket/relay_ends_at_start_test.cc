// What ends a relay before it has begun, or with what came behind the heads, on the simulated
// kernel: it comes to its end by itself, and tells its owner once, which may be from inside of
// start().
#include "gateway/websocket/relay.hh"
#include "tests/gateway/websocket/relay_stand.hh"

namespace {

using gateway::Reason;
using gateway::RelayPolicy;
using std::chrono::seconds;
using namespace relay_test;

// A client without rates is read without a coroutine, one with rates is not.
const RelayPolicy kPolicies[] = {{}, {.rates = {.messages = 10}}};

const gateway::TranslatedRules kTranslated = {.of_client = {.rsv_allowed = ws::kRsv1},
                                              .of_server = {}};

void expect_end_at_start(Stand& stand) {
  stand.now_allowed.ends_at = stand.simulation.loop.now() - seconds(1);
  stand.now_allowed.ends_by = Reason::kTokenExpired;
  stand.now_allowed.lifetime_code = 4003;
  stand.client_says(from_client(kText, "late"));
  stand.start(from_client(kText, "one"), from_upstream(kText, "uno"));
  EXPECT_TRUE(stand.relay->has_finished());
  EXPECT_EQ(stand.times_finished, 1u);
  stand.until_done();
  EXPECT_EQ(stand.reason(), Reason::kTokenExpired);
  EXPECT_EQ(stand.relay->close_code(), 4003);
  EXPECT_EQ(stand.client_got(), "88:4003");
  EXPECT_EQ(stand.upstream_got(), "88:4003");
  EXPECT_TRUE(stand.relay->client_stream_is_whole() && stand.relay->upstream_stream_is_whole());
  EXPECT_LT(stand.seconds(), 1);
}

TEST(RelayEndsAtStart, WhereItsPolicySaysThatItIsOver) {
  for (const RelayPolicy& policy : kPolicies) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      Stand stand(seed, policy);
      expect_end_at_start(stand);
    });
  }
}

TEST(RelayEndsAtStart, WhereItTranslatesAndItsPolicySaysThatItIsOver) {
  for_each_seed(kSeeds, [](std::uint64_t seed) {
    Stand stand(seed, kTranslated);
    expect_end_at_start(stand);
  });
}

// What the client's connection knows of it is there at the start, or comes later.
TEST(RelayEndsAtStart, WhereTheClientHasReset) {
  for (const RelayPolicy& policy : kPolicies) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      Stand stand(seed, policy);
      stand.client->reset();
      const bool is_known = seed % 2 == 0;
      if (is_known) stand.notice_client();
      stand.start(from_client(kText, "one"));
      EXPECT_EQ(stand.relay->is_closing(), is_known);
      stand.until_done();
      EXPECT_EQ(stand.reason(), Reason::kClientReset);
      EXPECT_TRUE(stand.upstream_got().starts_with("81:one")) << stand.upstream_got();
      EXPECT_LT(stand.seconds(), 1);
    });
  }
}

TEST(RelayEndsAtStart, WhereTheClientHasLeft) {
  for (const RelayPolicy& policy : kPolicies) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      Stand stand(seed, policy);
      stand.client->shutdown_write();
      if (seed % 2 == 0) stand.notice_client();
      stand.start(from_client(kText, "one"));
      stand.until([&] { return stand.upstream->saw_end(); });
      EXPECT_EQ(stand.upstream_got(), "81:one");
      EXPECT_FALSE(stand.relay->has_finished()) << "the server may finish";
      stand.upstream_says(from_upstream(kText, "uno"));
      stand.until_client_got("81:uno");
      stand.upstream->shutdown_write();
      stand.until_done();
      EXPECT_EQ(stand.reason(), Reason::kClientLeft);
      EXPECT_LT(stand.seconds(), 1);
    });
  }
}

TEST(RelayEndsAtStart, WithACloseFrameFromEachSideBehindTheHeads) {
  for (const RelayPolicy& policy : kPolicies) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      Stand stand(seed, policy);
      const auto late = from_client(kText, "late");
      stand.client_says(late);
      stand.start(from_client(kText, "one") + from_client(kClose, code(3001)) + late,
                  from_upstream(kText, "uno") + from_upstream(kClose, code(3002)));
      stand.until_done();
      EXPECT_EQ(stand.upstream_got(), "81:one 88:3001");
      EXPECT_EQ(stand.client_got(), "81:uno 88:3002");
      EXPECT_EQ(stand.reason(), Reason::kDone);
      EXPECT_LT(stand.seconds(), 1);
    });
  }
}

TEST(RelayEndsAtStart, WithWhatBreaksTheProtocolBehindTheHeads) {
  for (const RelayPolicy& policy : kPolicies) {
    for_each_seed(kSeeds, [&](std::uint64_t seed) {
      const bool by_client = seed % 2 == 0;
      Stand stand(seed, policy);
      // Masked by the server, or not by the client.
      by_client ? stand.start(from_upstream(kText, "bad"), from_upstream(kText, "uno"))
                : stand.start(from_client(kText, "one"), from_client(kText, "bad"));
      EXPECT_TRUE(stand.relay->is_closing());
      stand.until_done();
      EXPECT_EQ(stand.reason(), by_client ? Reason::kClientViolation : Reason::kUpstreamViolation);
      EXPECT_EQ(stand.upstream_got(), "88:1002");
      EXPECT_EQ(stand.client_got(), by_client ? "81:uno 88:1002" : "88:1011");
      EXPECT_LT(stand.seconds(), 1);
    });
  }
}

}  // namespace
