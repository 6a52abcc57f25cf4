// Bad citizens: which of the connections are, what they say, and the close frame they wait for.
#include <gtest/gtest.h>

#include <set>

#include "proto/ws/message_reader.hh"
#include "tools/load/bad_share.hh"
#include "tools/load/engine/bad_frames.hh"

namespace load {
namespace {

constexpr double kShareError = 1e-9;

double share_of(const BadShares& shares, BadKind kind) {
  return shares[static_cast<std::size_t>(kind)];
}

TEST(BadShare, AddsUpWhatItIsToldSeveralTimes) {
  BadShares shares{};
  ASSERT_TRUE(add_bad("slow-reader=5%,reset=0.01", shares));
  ASSERT_TRUE(add_bad("broken=2%", shares));
  ASSERT_TRUE(add_bad("reset=2%", shares));
  EXPECT_NEAR(share_of(shares, BadKind::kSlowReader), 0.05, kShareError);
  EXPECT_NEAR(share_of(shares, BadKind::kReset), 0.03, kShareError);
  EXPECT_NEAR(share_of(shares, BadKind::kBroken), 0.02, kShareError);
  EXPECT_EQ(share_of(shares, BadKind::kNeverPong), 0);
}

TEST(BadShare, SaysWhatIsWrongAndWhatHelps) {
  const struct {
    const char* text;
    const char* said;
  } cases[] = {
      {"slow-raeder=5%", "unknown kind 'slow-raeder'; did you mean 'slow-reader'?"},
      {"x=5%",
       "unknown kind 'x': there are slow-reader, reset, half-open, never-pong, oversize, "
       "broken"},
      {"", "not KIND=SHARE, such as slow-reader=5%"},
      {"reset", "not KIND=SHARE, such as slow-reader=5%: reset"},
      {"reset=1%,", "not KIND=SHARE"},
      {"reset=", "reset: "},
      {"reset=150%", "reset: "},
      {"reset=-1%", "reset: "},
      {"reset=60%,broken=60%", "the shares come to 120 % together: at most 100 %"},
  };
  for (const auto& one : cases) {
    BadShares shares{};
    const auto added = add_bad(one.text, shares);
    ASSERT_FALSE(added) << one.text;
    EXPECT_NE(added.error().find(one.said), std::string::npos) << added.error();
  }
}

Plan plan_of(std::initializer_list<std::size_t> connections, std::string_view bad) {
  Plan plan;
  EXPECT_TRUE(add_bad(bad, plan.bad_shares));
  for (const std::size_t each : connections) {
    plan.phases.push_back({.name = "hold", .length = {}, .connections = each, .rate = {}});
  }
  return plan;
}

TEST(BadShare, IsTakenOutOfEachPhasesConnections) {
  Plan plan = plan_of({1000, 0, 10}, "slow-reader=5%,broken=2%");
  ASSERT_TRUE(set_bad_apart(plan));
  EXPECT_EQ(plan.connections, 930u);
  EXPECT_EQ(plan.phases[0].connections, 930u);
  EXPECT_EQ(plan.phases[0].bad, (BadNumbers{50, 0, 0, 0, 0, 20}));
  EXPECT_EQ(plan.phases[1].connections, 0u);
  EXPECT_EQ(plan.phases[1].bad, BadNumbers{});
  // Of each kind one at least: else a small run would have none of what it was asked for.
  EXPECT_EQ(plan.phases[2].connections, 8u);
  EXPECT_EQ(plan.phases[2].bad, (BadNumbers{1, 0, 0, 0, 0, 1}));
}

TEST(BadShare, LeavesSomebodyToCarryTheLoad) {
  for (const std::string_view all : {"reset=100%", "reset=50%,broken=50%"}) {
    Plan plan = plan_of({2}, all);
    const auto apart = set_bad_apart(plan);
    ASSERT_FALSE(apart) << all;
    EXPECT_TRUE(apart.error().starts_with("--bad: of 2 connections none is left")) << all;
  }
}

TEST(BadFrames, BreakTheRuleThatTheyAreMeantTo) {
  const struct {
    Breach breach;
    std::set<ws::Violation> as;
  } cases[] = {
      {Breach::kReservedBit, {ws::Violation::kReservedBit}},
      {Breach::kReservedOpcode, {ws::Violation::kReservedOpcode}},
      {Breach::kUnmasked, {ws::Violation::kUnmaskedFrame}},
      {Breach::kLooseContinuation, {ws::Violation::kUnexpectedContinuation}},
      {Breach::kMissingContinuation, {ws::Violation::kMissingContinuation}},
      {Breach::kLongControl, {ws::Violation::kLongControl}},
      {Breach::kFragmentedControl, {ws::Violation::kFragmentedControl}},
  };
  std::mt19937_64 random(1);
  for (const auto& one : cases) {
    for (int i = 0; i < 100; ++i) {
      std::vector<std::byte> frames = broken_frames(one.breach, random);
      ws::MessageReader reader(ws::Sender::kClient);
      reader.feed(frames);
      while (reader.next()) {
      }
      ASSERT_TRUE(reader.violation()) << static_cast<int>(one.breach);
      EXPECT_TRUE(one.as.contains(*reader.violation())) << describe(*reader.violation());
    }
  }
}

TEST(BadFrames, HaveTextThatIsNoUtf8) {
  std::mt19937_64 random(1);
  std::set<std::string> texts;
  for (int i = 0; i < 100; ++i) {
    std::vector<std::byte> frames = broken_frames(Breach::kInvalidUtf8, random);
    ws::MessageReader reader(ws::Sender::kClient);
    reader.feed(frames);
    const auto event = reader.next();
    ASSERT_TRUE(event && event->kind == ws::Event::Kind::kText && event->last);
    texts.emplace(proto::as_text(event->payload));
  }
  EXPECT_EQ(texts.size(), 5u);
}

TEST(CloseWatch, FindsTheCodeHoweverTheStreamIsCut) {
  std::vector<std::byte> stream;
  const auto say = [&stream](proto::Bytes bytes) {
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  };
  const std::vector<std::byte> payload(70'000, std::byte{0x88});
  say(ws::make_ping(proto::as_bytes("\x88\x02")).bytes());
  say(ws::encode_header({.rsv = ws::kRsv1, .payload_bytes = 126}).bytes());
  say(proto::Bytes(payload).first(126));
  say(ws::encode_header({.payload_bytes = payload.size()}).bytes());
  say(payload);
  say(ws::encode_header({.payload_bytes = 0}).bytes());
  const std::size_t close_at = stream.size();
  say(ws::make_close(1011, "no pong").bytes());
  const std::size_t end = stream.size();
  say(ws::make_close(1000).bytes());
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{1000}, end}) {
    CloseWatch watch;
    std::size_t fed = 0;
    std::optional<std::uint16_t> code;
    for (; fed < end && !code; fed += step) {
      code = watch.feed(proto::Bytes(stream).subspan(fed, std::min(step, end - fed)));
    }
    ASSERT_TRUE(code) << step;
    EXPECT_EQ(*code, 1011) << step;
    EXPECT_GT(fed, close_at) << step;
    EXPECT_EQ(watch.feed(proto::Bytes(stream).subspan(end)), 1011);
  }
}

TEST(CloseWatch, KnowsACloseFrameWithoutACode) {
  CloseWatch watch;
  EXPECT_FALSE(watch.feed(proto::Bytes(ws::make_close(ws::kCloseNoStatus).bytes()).first(1)));
  EXPECT_EQ(watch.feed(ws::make_close(ws::kCloseNoStatus).bytes().subspan(1)), 1005);
}

}  // namespace
}  // namespace load
