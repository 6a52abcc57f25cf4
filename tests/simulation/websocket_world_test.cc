// WebSockets under policies, each way that their ends may behave as a scenario of its own; what
// each end has seen is judged by the run itself, and here how the log says that it ended.
#include <gtest/gtest.h>

#include "tests/simulation/world.hh"

namespace {

using namespace simulation;

// One client, whose two ends say a little.
Scenario one_websocket(std::uint64_t seed, const PolicyPlan& policy, Closer closer) {
  Scenario scenario;
  scenario.seed = seed;
  scenario.policy = policy;
  ClientPlan& client = scenario.clients.emplace_back();
  client.write_most = client.read_most = 1 << 20;
  if (seed % 2 == 0) client.tls.emplace();
  WebSocketPlan& plan = client.requests.emplace_back().websocket.emplace();
  plan.client.messages.resize(2, {.bytes = 100, .kind = MessageKind::kText, .fragments = 2});
  plan.server.messages.resize(2, {.bytes = 100});
  plan.closer = closer;
  return scenario;
}

LogLine line_of(const Scenario& scenario) {
  World world(scenario, nullptr);
  EXPECT_TRUE(world.run());
  const std::vector<LogLine>& lines = world.trail(0, 0).lines;
  EXPECT_EQ(lines.size(), 1u);
  return lines.empty() ? LogLine{} : lines.front();
}

constexpr std::uint64_t kSeeds = 6;

TEST(WebSocketWorld, EndsEachBreachAsItsPolicySays) {
  for (const Validation validation : {Validation::kFull, Validation::kHeaders, Validation::kOff}) {
    for (std::size_t at = 1; at < kBreaches; ++at) {
      for (std::uint64_t seed = 1; seed <= 2 * kSeeds; ++seed) {
        const bool client_breaks = seed % 4 < 2;
        const PolicyPlan policy{.validation = validation,
                                .frame_max = seed % 3 == 0 ? 45'000u : 0u,
                                .message_max = seed % 5 == 0 ? 0u : 65'536u};
        Scenario scenario = one_websocket(
            seed, policy, client_breaks ? Closer::kClientBreaks : Closer::kServerBreaks);
        WebSocketPlan& plan = *scenario.clients.front().requests.front().websocket;
        const auto breach = static_cast<Breach>(at);
        (client_breaks ? plan.client : plan.server).breach = {breach, seed};
        const bool passes = outcome_of(breach, policy, client_breaks, Deflating::kNone).passes();
        const std::string broken = client_breaks ? "client-violation" : "upstream-violation";
        EXPECT_EQ(line_of(scenario).end, passes ? "done" : broken)
            << "breach " << at << ", seed " << seed;
      }
    }
  }
}

TEST(WebSocketWorld, EndsEachBreachOfACompressedMessageAsItsPolicySays) {
  for (const Validation validation : {Validation::kFull, Validation::kHeaders}) {
    for (std::size_t at = 1; at < kBreaches; ++at) {
      for (std::uint64_t seed = 1; seed <= 2 * kSeeds; ++seed) {
        const bool client_breaks = seed % 4 < 3;
        const PolicyPlan policy{.validation = validation,
                                .message_max = seed % 5 < 2 ? 0u : 65'536u,
                                .compression = CompressionPlan::kTerminate,
                                .compression_level = 1 + static_cast<unsigned>(seed % 6),
                                .keeps_context = seed % 2 == 0,
                                .ratio_max = seed % 3 == 0 ? 0u : 200u};
        Scenario scenario = one_websocket(
            seed, policy, client_breaks ? Closer::kClientBreaks : Closer::kServerBreaks);
        scenario.window = 200'000;
        WebSocketPlan& plan = *scenario.clients.front().requests.front().websocket;
        plan.offers_deflate = true;
        plan.deflate_offer = seed % kDeflateOffers.size();
        plan.client.messages.front().deflated = true;
        const auto breach = static_cast<Breach>(at);
        (client_breaks ? plan.client : plan.server).breach = {breach, seed};
        const bool passes =
            outcome_of(breach, policy, client_breaks, Deflating::kAtGateway).passes();
        const std::string broken = client_breaks ? "client-violation" : "upstream-violation";
        EXPECT_EQ(line_of(scenario).end, passes ? "done" : broken)
            << "breach " << at << ", seed " << seed;
      }
    }
  }
}

// Fragments, control frames in between, with and without a context, of any kind.
TEST(WebSocketWorld, TranslatesMessagesAndKeepsThem) {
  for (std::uint64_t seed = 1; seed <= 4 * kSeeds; ++seed) {
    const PolicyPlan policy{.message_max = 0,
                            .compression = CompressionPlan::kTerminate,
                            .compress_min = seed % 5 == 0 ? 1u : 64u,
                            .compression_level = 1 + static_cast<unsigned>(seed % 6),
                            .keeps_context = seed % 2 == 0};
    Scenario scenario = one_websocket(seed, policy, Closer::kBoth);
    WebSocketPlan& plan = *scenario.clients.front().requests.front().websocket;
    plan.offers_deflate = true;
    plan.deflate_offer = seed % kDeflateOffers.size();
    plan.client.messages.clear();
    for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
      for (const std::size_t bytes : {0, 1, 100, 2'000, 40'000, 200'000}) {
        plan.client.messages.push_back({.bytes = bytes,
                                        .kind = static_cast<MessageKind>(kind),
                                        .fragments = 1 + (seed + bytes) % 4,
                                        .control_frames = seed % 3,
                                        .deflated = (seed + kind) % 4 != 0});
      }
    }
    plan.server.messages = plan.client.messages;
    EXPECT_EQ(line_of(scenario).end, "done") << "seed " << seed;
  }
}

TEST(WebSocketWorld, FindsDeadEnds) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const bool client_dies = seed % 3 == 0;
    const PolicyPlan policy{
        .ping = milliseconds(500), .pong_timeout = milliseconds(1000), .ping_to = PingTo::kBoth};
    const Scenario scenario =
        one_websocket(seed, policy, client_dies ? Closer::kClientDies : Closer::kServerDies);
    EXPECT_EQ(line_of(scenario).end, client_dies ? "client-no-pong" : "upstream-no-pong");
  }
}

// Nobody says anything for long: only the answers to pings tell that the ends live.
TEST(WebSocketWorld, TakesNobodyForDeadWhoAnswers) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const PolicyPlan policy{
        .ping = milliseconds(300), .pong_timeout = milliseconds(1000), .ping_to = PingTo::kBoth};
    Scenario scenario = one_websocket(seed, policy, Closer::kClient);
    WebSocketPlan& plan = *scenario.clients.front().requests.front().websocket;
    plan.stays = milliseconds(4000);
    plan.client.pongs = plan.server.pongs = seed % 3 == 0 ? Pongs::kLate : Pongs::kPrompt;
    plan.client.late_by = plan.server.late_by = milliseconds(400);
    EXPECT_EQ(line_of(scenario).end, "done") << "seed " << seed;
  }
}

TEST(WebSocketWorld, IsIdleThoughItIsPinged) {
  const PolicyPlan policy{
      .ping = milliseconds(300), .pong_timeout = milliseconds(1000), .ping_to = PingTo::kBoth};
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_EQ(line_of(one_websocket(seed, policy, Closer::kNobody)).end, "idle");
  }
}

TEST(WebSocketWorld, SlowsAClientDownToItsRates) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    PolicyPlan policy;
    policy.rates = {.bytes = 50'000, .burst = milliseconds(100)};
    Scenario scenario = one_websocket(seed, policy, Closer::kClient);
    WebSocketPlan& plan = *scenario.clients.front().requests.front().websocket;
    plan.client.messages.resize(10, {.bytes = 20'000});
    World world(scenario, nullptr);
    EXPECT_TRUE(world.run()) << "seed " << seed;
    const Trail& trail = world.trail(0, 0);
    ASSERT_EQ(trail.lines.size(), 1u);
    EXPECT_EQ(trail.lines.front().end, "done");
    // For 200,000 bytes, of which the last 42,000 may pass at once.
    EXPECT_GE(trail.lines.front().at - trail.websocket.opened_at, milliseconds(3000));
  }
}

TEST(WebSocketWorld, ClosesWhoTakesNothing) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const PolicyPlan policy{.slow_grace = milliseconds(1500), .slow_code = 4013};
    const bool client_dies = seed % 3 == 0;
    Scenario scenario =
        one_websocket(seed, policy, client_dies ? Closer::kClientDies : Closer::kServerDies);
    WebSocketPlan& plan = *scenario.clients.front().requests.front().websocket;
    EndPlan& other = client_dies ? plan.server : plan.client;
    other.messages.resize(10, {.bytes = 100});
    other.rhythm = milliseconds(200);
    EXPECT_EQ(line_of(scenario).end, client_dies ? "client-slow" : "upstream-slow")
        << "seed " << seed;
  }
}

TEST(WebSocketWorld, LeavesWhoTakesSlowlyAlone) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const PolicyPlan policy{.slow_grace = milliseconds(1000)};
    Scenario scenario = one_websocket(seed, policy, Closer::kClient);
    ClientPlan& client = scenario.clients.front();
    client.read_most = 1000;
    client.pause_max = milliseconds(300);
    WebSocketPlan& plan = *client.requests.front().websocket;
    plan.server.messages.resize(5, {.bytes = 30'000});
    EXPECT_EQ(line_of(scenario).end, "done") << "seed " << seed;
  }
}

TEST(WebSocketWorld, EndsMessagesAndWebSocketsThatTakeTooLong) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const PolicyPlan in_time{.message_time = milliseconds(1500)};
    const bool client_stalls = seed % 3 == 0;
    Scenario scenario =
        one_websocket(seed, in_time, client_stalls ? Closer::kClientStalls : Closer::kServerStalls);
    EXPECT_EQ(line_of(scenario).end,
              client_stalls ? "client-message-timeout" : "upstream-message-timeout");
    const PolicyPlan mortal{.lifetime = milliseconds(2000), .jitter = milliseconds(1000)};
    EXPECT_EQ(line_of(one_websocket(seed, mortal, Closer::kNobody)).end, "lifetime");
  }
}

// What a client has closed its stream behind reaches its server, which still says the rest.
TEST(WebSocketWorld, LetsAServerEndBehindAHalfClose) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Scenario scenario = one_websocket(seed, {}, Closer::kClientHalfCloses);
    WebSocketPlan& plan = *scenario.clients.front().requests.front().websocket;
    plan.server.messages.resize(20, {.bytes = 30'000});
    plan.client.unfinished_bytes = seed % 3 == 0 ? 150 : 0;
    EXPECT_EQ(line_of(scenario).end, "client-left") << "seed " << seed;
  }
}

}  // namespace
