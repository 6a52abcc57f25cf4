// JSON: what is written is read back whole, and what somebody else has written is refused in words.
#include "tools/load/report/json.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/tools/load/sample.hh"
#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

using testing::HasSubstr;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

TEST(Json, ComesBackAsItWas) {
  const Result result = sample::run();
  const std::string text = json_of(result, {});
  const auto read = result_of_json(text);
  ASSERT_TRUE(read) << read.error();
  // Every member is in the text, so texts that are the same mean results that are.
  EXPECT_EQ(json_of(*read, {}), text);
  EXPECT_EQ(read->phases.size(), 4u);
  EXPECT_EQ(read->intervals.size(), result.intervals.size());
  const Histogram rtt = merged(result, Timing::kRtt);
  EXPECT_EQ(merged(*read, Timing::kRtt).quantile(0.999), rtt.quantile(0.999));
  EXPECT_EQ(merged(*read, Timing::kRtt).max(), rtt.max());
  EXPECT_EQ(read->closes_by_peer, result.closes_by_peer);
  const BadCitizens& half_open = read->bad.at(BadKind::kHalfOpen);
  EXPECT_EQ(half_open.statuses, (std::map<int, std::uint64_t>{{408, 25}}));
  EXPECT_EQ(half_open.open_longest, std::chrono::seconds(71));
  EXPECT_EQ(ended_by_peer(half_open), half_open.until_ended.count());
}

TEST(Json, IsReadWhereNoConnectionsWereBad) {
  Result result = sample::run({.seconds = 1});
  result.bad.clear();
  const auto read = result_of_json(replaced(json_of(result, {}), "\"bad\":{},", ""));
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(read->bad.empty());
}

TEST(Json, KeepsWhatIsUnusual) {
  Result result;
  result.command = "a \"quoted\" \\ command\n\xff";
  result.errors["kind \x01"] = {UINT64_MAX, "<\xf0\x9f>"};
  result.found_rate = 1234.5;
  result.interrupted = result.target_unreachable = result.compress = true;
  result.storms = {{.begin = std::chrono::seconds(1), .dropped = 2, .recovered = std::nullopt}};
  result.generator.limits = {"lag"};
  const auto read = result_of_json(json_of(result, {}));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->command, "a \"quoted\" \\ command\n\ufffd");
  EXPECT_EQ(read->errors.at("kind \x01").count, UINT64_MAX);
  EXPECT_EQ(read->found_rate, 1234.5);
  EXPECT_TRUE(read->interrupted && read->target_unreachable && read->compress);
  EXPECT_FALSE(read->storms.at(0).recovered);
  EXPECT_EQ(read->generator.limits, result.generator.limits);
}

TEST(Json, IsReadWhereCompressionWasNotKnownYet) {
  Result result;
  result.compress = true;
  const auto read = result_of_json(replaced(json_of(result, {}), "\"compress\":true,", ""));
  ASSERT_TRUE(read) << read.error();
  EXPECT_FALSE(read->compress);
}

TEST(Json, HasTheGatesAndTheVerdict) {
  const auto gate = gates::parse("lost>0");
  const std::string text = json_of(sample::run(), gates::judge({&*gate, 1}, sample::run()));
  EXPECT_THAT(text, HasSubstr(R"("verdict":{"status":1,"text":"failed: 1 of 1 gate)"));
  EXPECT_THAT(text, HasSubstr(R"("gates":[{"text":"lost>0","value":4.0,"failed":true}])"));
}

TEST(Json, IsRefusedWithThePlace) {
  const std::string good = json_of(sample::run({.seconds = 1}), {});
  const struct { std::string text; const char* error; } cases[] = {
      {"", "is no JSON"},
      {"{", "is no JSON"},
      {"[1]", "is no result of gateway-load"},
      {"{}", "is no result of gateway-load"},
      {replaced(good, "\"schema\":1", "\"schema\":2"), "it reads schema 1"},
      {replaced(good, "\"open\":", "\"closed\":"), "open: should be a whole number"},
      {replaced(good, "\"phases\":[", "\"phases\":[3,"), "phases[0].name: should be a string"},
      {replaced(good, "\"length_ns\":", "\"length_ns\":-"), "phases[0].length_ns: should be"},
      {replaced(good, "\"length_ns\":", "\"length_ns\":0."), "phases[0].length_ns: should be"},
      {replaced(good, "0.0,\"counts\":{\"sent\":", "0.0,\"counts\":{\"sent\":-"),
       "phases[0].counts.sent: should be a whole number"},
      {replaced(good, "HISTFAAA", "HISTFAAB"), "histogram: should be a histogram: "},
      {replaced(good, "\"1001\":", "\"99999\":"), "closes_by_peer.99999: should be named"},
      {replaced(good, "\"1001\":", "\"x\":"), "closes_by_peer.x: should be named"},
      {replaced(good, "\"never-pong\":", "\"never\":"), "bad.never: should be a kind of bad"},
      {replaced(good, "\"cut\":25", "\"cut\":-1"), "bad.half-open.cut: should be a whole number"},
      {replaced(good, "\"interrupted\":false", "\"interrupted\":0"), "interrupted: should be true"},
  };
  for (const auto& one : cases) {
    const auto read = result_of_json(one.text);
    ASSERT_FALSE(read) << one.error;
    EXPECT_THAT(read.error(), HasSubstr(one.error));
  }
}

TEST(Json, IsRefusedWithMoreIntervalsThanARunHas) {
  Result result = sample::run({.seconds = 5});
  result.intervals.assign(4000, {.length = std::chrono::seconds(1)});
  EXPECT_TRUE(result_of_json(json_of(result, {})));
  result.intervals.emplace_back();
  const auto refused = result_of_json(json_of(result, {}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), HasSubstr("intervals: should be a list of at most 4000"));
}

TEST(Json, SurvivesWhereverItIsCutOff) {
  const std::string good = json_of(sample::run({.seconds = 1}), {});
  for (std::size_t size = 0; size + 2 < good.size(); size += 97) {
    EXPECT_FALSE(result_of_json(good.substr(0, size))) << size;
  }
}

TEST(Json, IsReadOrRefusedWhateverIsDamaged) {
  Result small = sample::run({.seconds = 1});
  small.intervals.resize(2);
  const std::string good = json_of(small, {});
  std::mt19937_64 random(5);
  std::size_t refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string bad = good;
    constexpr std::string_view kBytes = "0919-.eE\"[]{},:ntf\\ \xff";
    bad[random() % bad.size()] = kBytes[random() % kBytes.size()];
    bad[random() % bad.size()] = kBytes[random() % kBytes.size()];
    const auto read = result_of_json(bad);
    if (!read) {
      ++refused;
      continue;
    }
    // What was taken makes a file that is taken, too.
    EXPECT_TRUE(result_of_json(json_of(*read, {}))) << round;
  }
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace load::report
