// Gates, the verdict and JUnit: what fails a run, and how that is said.
#include "tools/load/report/gates.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/load/sample.hh"
#include "tools/load/report/junit.hh"
#include "tools/load/report/summary.hh"
#include "tools/load/report/verdict.hh"

namespace load {
namespace {

using report::exit_status_of;
using report::verdict_of;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

Result small_run() {
  Result result;
  result.phases.resize(2);
  result.phases[0].name = "ramp";
  result.phases[0].length = std::chrono::seconds(1);
  result.phases[0].counts = {.sent = 5, .received = 3, .in_flight = 2, .connects = 11,
                             .opened = 10, .failed = 1};
  Phase& hold = result.phases[1];
  hold.name = "hold";
  hold.length = seconds(2);
  hold.counts = {.sent = 102, .received = 100, .lost = 2, .received_bytes = 6400};
  for (int i = 1; i <= 100; ++i) hold.timings[std::size_t(Timing::kRtt)].add(milliseconds(i));
  result.phases[0].timings[std::size_t(Timing::kTcp)].add(milliseconds(7));
  result.open = 9;
  result.open_max = 10;
  result.closes_by_peer = {{1006, 3}};
  result.statuses = {{503, 1}};
  result.errors = {{"reset", {4, "by peer"}}};
  result.storms = {{.dropped = 5, .recovered = milliseconds(1500)}};
  result.bad[BadKind::kBroken] = {.opened = 4, .closes = {{1002, 3}}, .open = 1};
  result.bad[BadKind::kHalfOpen] = {.refused = 2, .opened = 1, .cut = 1};
  result.bad[BadKind::kBroken].open_longest = seconds(3);
  for (int i = 1; i <= 3; ++i) result.bad[BadKind::kBroken].until_ended.add(milliseconds(i));
  result.bad[BadKind::kHalfOpen].until_ended.add(seconds(2));
  result.watched = {{.pid = 1, .cpu_seconds = 0.001, .resident_bytes_max = 20'000'000}};
  return result;
}

GateResults judge(const Result& result, const std::string& text) {
  const auto gate = gates::parse(text);
  EXPECT_TRUE(gate) << text << ": " << (gate ? "" : gate.error());
  return gate ? gates::judge({&*gate, 1}, result) : GateResults();
}

TEST(Gates, FailWhatIsBeyondTheirLimitOnly) {
  const struct { const char* fails; const char* holds; } cases[] = {
      {"rtt.p99>98ms", "rtt.p99>100ms"},
      {"rtt.p50 > 49000us", "rtt.p50 > 0.06 s"},
      {"rtt.max>=100ms", "rtt.max>100ms"},
      {"rtt.min<2ms", "rtt.min<1ms"},
      {"rtt.mean>50ms", "rtt.mean>51ms"},
      {"rtt.count<101", "rtt.count<100"},
      {"tcp.p99>6ms", "tcp.p99>8ms"},
      {"lost>0", "lost>2"},
      {"sent!=104", "sent!=105"},
      {"failed>0", "failed>1"},
      {"received<=103", "received<=102"},
      {"rate<51", "rate<50/s"},
      {"open=9", "open==8"},
      {"open_max>9", "open_max>10"},
      {"errors>3", "errors>4"},
      {"close.1006>2", "close.1006>3"},
      {"close.1011<1", "close.1011>0"},
      {"status.503>0", "status.503>1"},
      {"recovery>1s", "recovery>1.5s"},
      {"bad.open>0", "bad.open>1"},
      {"bad.ended<5", "bad.ended<4"},
      {"bad.refused>1", "bad.refused>2"},
      {"bad.borne>2s", "bad.borne>3s"},
      {"cpu_per_message>9us", "cpu_per_message>10us"},
      {"memory>19MB", "memory>20MB"},
      {"received_bytes>6k", "received_bytes>6.4k"},
  };
  const Result result = small_run();
  for (const auto& one : cases) {
    const GateResults fails = judge(result, one.fails);
    EXPECT_TRUE(fails.size() == 1 && fails[0].failed) << one.fails;
    const GateResults holds = judge(result, one.holds);
    EXPECT_TRUE(holds.size() == 1 && !holds[0].failed) << one.holds;
  }
}

TEST(Gates, FailWhereNothingWasMeasured) {
  for (const char* const text : {"rtt.p99>1h", "recovery>1h", "cpu_per_message>1h", "rate<0",
                                "bad.open>1000", "bad.borne>1h"}) {
    const GateResults results = judge(Result(), text);
    EXPECT_TRUE(results[0].failed) << text;
    EXPECT_THAT(gates::found_text(results[0]), HasSubstr("not measured")) << text;
  }
}

TEST(Gates, TakeAStormThatNeverEndedForTheLongest) {
  Result result = small_run();
  result.storms.push_back({.dropped = 1, .recovered = std::nullopt});
  const GateResults results = judge(result, "recovery>10h");
  EXPECT_TRUE(results[0].failed);
  EXPECT_EQ(gates::found_text(results[0]), "recovery is without end");
}

TEST(Gates, HoldsIsForObjectives) {
  const auto objective = gates::parse("rtt.p99<200ms");
  ASSERT_TRUE(objective);
  EXPECT_EQ(gates::holds(*objective, small_run()), true);
  EXPECT_EQ(gates::holds(*objective, Result()), std::nullopt);
}

TEST(Gates, AreRefusedWithThePlaceAndTheCure) {
  const struct { const char* text; const char* place; const char* cure; } cases[] = {
      {"", "\"\"", "a comparison"},
      {"rtt.p99", "\"rtt.p99\"", "a comparison"},
      {"rtt>1ms", "figure \"rtt\"", "p50, p99.9"},
      {"rtt.p101>1ms", "figure \"rtt.p101\"", "p0 to p100"},
      {"rtt.pinf>1ms", "figure \"rtt.pinf\"", "p0 to p100"},
      {"rtt.p9x>1ms", "figure", "p0 to p100"},
      {"speed>1", "figure \"speed\"", "rate, "},
      {"close.99>0", "figure \"close.99\"", "1000 to 4999"},
      {"status.>0", "figure \"status.\"", "100 to 999"},
      {"rtt.p99>20", "limit \"20\"", "ns, us, ms"},
      {"rtt.p99>20mx", "limit \"20mx\"", "ns, us, ms"},
      {"lost>", "limit \"\"", "a number"},
      {"lost>-1", "limit \"-1\"", "a number"},
      {"lost>inf", "limit \"inf\"", "a number"},
      {"lost>nan", "limit \"nan\"", "a number"},
      {"lost>1ms", "limit \"1ms\"", "none, k"},
      {"lost!1", "comparison \"!\"", ">="},
      {"lost>\x1b[2J", "limit \"?[2J\"", "a number"},
  };
  for (const auto& one : cases) {
    const auto gate = gates::parse(one.text);
    ASSERT_FALSE(gate) << one.text;
    EXPECT_THAT(gate.error(), AllOf(HasSubstr(one.place), HasSubstr(one.cure)));
  }
}

constexpr std::string_view kBadLines =
    "half-open: 1 of 1 was ended by the target (cut), within 2.00 s; 2 were refused\n"
    "broken: 3 of 4 were ended by the target (1002), within 3.00 ms; 1 was open at the end, for "
    "3.00 s at most\n";

TEST(Verdict, PassesARunWithoutAnythingAgainstIt) {
  EXPECT_EQ(exit_status_of(small_run(), {}), 0);
  EXPECT_EQ(verdict_of(small_run(), {}),
            "passed: 4 errors, 2 lost of 105 messages, and no gate forbids that\n" +
                std::string(kBadLines));
  const GateResults held = judge(small_run(), "lost>2");
  EXPECT_EQ(verdict_of(small_run(), held),
            "passed: 1 gate held, 4 errors, 2 lost of 105 messages, and no gate forbids that\n" +
                std::string(kBadLines));
}

TEST(Verdict, FailsARunInWhichNothingWasAnswered) {
  Result result;
  result.phases = {{.name = "hold", .length = std::chrono::seconds(1),
                    .counts = {.sent = 100, .lost = 60, .unanswered = 40}}};
  EXPECT_EQ(exit_status_of(result, {}), 1);
  EXPECT_EQ(verdict_of(result, {}), "failed: none of 100 messages was answered\n");
  EXPECT_THAT(report::junit_of(result, {}),
              HasSubstr("<failure message=\"none of 100 messages was"));
  result.interrupted = true;
  EXPECT_EQ(exit_status_of(result, {}), 0);
  result.interrupted = false;
  result.phases[0].counts = {.sent = 100, .received = 1, .lost = 99};
  EXPECT_EQ(exit_status_of(result, {}), 0);
}

TEST(Verdict, FailsASearchThatFoundNothing) {
  Result result = small_run();
  result.found_rate = 0;
  EXPECT_EQ(exit_status_of(result, {}), 1);
  EXPECT_EQ(verdict_of(result, {}),
            "failed: no rate was within the objective\n" + std::string(kBadLines));
  result.found_rate = 1;
  EXPECT_EQ(exit_status_of(result, {}), 0);
}

TEST(Verdict, NamesEachGateThatFailed) {
  const GateResults gates = judge(small_run(), "rtt.p99>20ms");
  EXPECT_EQ(exit_status_of(small_run(), gates), 1);
  EXPECT_THAT(verdict_of(small_run(), gates),
              AllOf(HasSubstr("failed: 1 of 1 gate"),
                    HasSubstr("gate rtt.p99>20ms failed: rtt.p99 is 99.0 ms")));
}

TEST(Verdict, NoticesCountersThatDoNotAddUpInAnyPhase) {
  for (const std::size_t phase : {0, 1}) {
    Result result = small_run();
    ++result.phases[phase].counts.received;
    EXPECT_EQ(exit_status_of(result, {}), 1);
    EXPECT_THAT(verdict_of(result, {}), AllOf(HasSubstr("the counters do not add up: phase " +
                                                        result.phases[phase].name)));
  }
}

TEST(Verdict, PutsTheGeneratorBeforeGatesAndTheTargetBeforeAll) {
  Result result = small_run();
  result.generator.limits = {"schedule lag p99 was 30 ms"};
  const GateResults gates = judge(result, "rtt.p99>20ms");
  EXPECT_EQ(exit_status_of(result, gates), 3);
  EXPECT_THAT(verdict_of(result, gates),
              AllOf(HasSubstr("the generator was the limit"), HasSubstr("schedule lag"),
                    HasSubstr("gate rtt.p99>20ms failed")));
  result.target_unreachable = true;
  EXPECT_EQ(exit_status_of(result, gates), 4);
  EXPECT_EQ(verdict_of(result, gates), "the target could not be reached: reset (by peer)\n" +
                                           std::string(kBadLines));
}

TEST(Verdict, SaysHowTheTargetTookEachKindOfBadCitizen) {
  const struct { BadCitizens bad; const char* said; } cases[] = {
      {{}, "reset: none has opened"},
      {{.refused = 1}, "reset: none has opened; 1 was refused"},
      {{.opened = 5, .ended_by_us = 4, .open = 1},
       "reset: none of 5 was ended by the target; 4 were ended by us; 1 was open"},
      {{.opened = 50, .closes = {{1011, 50}}}, "reset: 50 of 50 were ended by the target (1011), "},
      {{.opened = 6, .closes = {{1002, 1}}, .statuses = {{408, 2}}, .cut = 3},
       "reset: 6 of 6 were ended by the target (1002 x 1, status 408 x 2, cut x 3), "},
  };
  for (const auto& one : cases) {
    Result result = small_run();
    result.bad = {{BadKind::kReset, one.bad}};
    EXPECT_THAT(verdict_of(result, {}), HasSubstr(one.said));
  }
}

TEST(Summary, CountsWhatAPhaseLeftInFlightOnce) {
  const Counts all = report::over_all_phases(small_run());
  EXPECT_EQ(all.sent, 105u);
  EXPECT_EQ(all.in_flight, 0u);
  EXPECT_EQ(report::imbalance_of(small_run()), "");
}

TEST(Junit, HasACaseForEachGateAndEscapesWhatItQuotes) {
  Result result = small_run();
  result.generator.limits = {"<&\"\x01"};
  const GateResults gates = judge(result, "rtt.p99>20ms");
  const std::string xml = report::junit_of(result, gates);
  EXPECT_THAT(xml, AllOf(HasSubstr("tests=\"5\" failures=\"1\" errors=\"1\""),
                         HasSubstr("name=\"not rtt.p99&gt;20ms\""),
                         HasSubstr("<failure message=\"rtt.p99 is 99.0 ms\"/>"),
                         HasSubstr("<error message=\"&lt;&amp;&quot;?\"/>")));
}

}  // namespace
}  // namespace load
