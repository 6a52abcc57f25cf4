// [drain] and [upgrade]: how the gateway stops, and is succeeded.
#include <gtest/gtest.h>

#include "tests/gateway/config/every_key.hh"
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using namespace std::chrono_literals;

TEST(ConfigDrain, HasDefaults) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->drain, (DrainSettings{.delay = 0s,
                                          .over = 30s,
                                          .close_code = 1001,
                                          .close_reason = "the gateway is stopping",
                                          .order = ClosingOrder::random,
                                          .hard_stop = 1min}));
}

TEST(ConfigDrain, IsWhatTheFileSays) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->drain, (DrainSettings{.delay = 3s,
                                          .over = 2h,
                                          .close_code = 4321,
                                          .close_reason = "käme wieder",
                                          .order = ClosingOrder::oldest,
                                          .hard_stop = 3h}));
}

TEST(ConfigDrain, MayBeAtOnceAndWithoutAReason) {
  const auto config = read(
      table("[drain]\ndelay = \"0s\"\nover = \"0ms\"\nclose_reason = \"\"\nhard_stop = \"1ms\""));
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->drain.over, 0ms);
  EXPECT_EQ(config->drain.close_reason, "");
  EXPECT_EQ(config->drain.hard_stop, 1ms);
}

TEST(ConfigDrain, TakesTheCodesThatAreTrueOfAStop) {
  for (const int code : {1001, 1012, 4000, 4999}) {
    const auto config = read(table("[drain]\nclose_code = " + std::to_string(code)));
    ASSERT_TRUE(config) << code;
    EXPECT_EQ(config->drain.close_code, code);
  }
  for (const int code : {-1, 0, 1000, 1002, 1005, 1006, 1011, 1013, 3000, 3999, 5000, 66'537}) {
    const std::string number = std::to_string(code);
    EXPECT_THAT(errors_of(table("[drain]\nclose_code = " + number)),
                testing::ElementsAre("2:14: error: 'close_code' must be a close code, 1001, 1012 "
                                     "or 4000 to 4999, not " +
                                     number));
  }
}

TEST(ConfigDrain, CountsTheBytesOfItsReason) {
  std::string umlauts = "x";
  for (int count = 0; count < 61; ++count) umlauts += "ü";
  ASSERT_EQ(umlauts.size(), 123u);
  EXPECT_TRUE(read(table("[drain]\nclose_reason = \"" + umlauts + "\"")));
  EXPECT_THAT(errors_of(table("[drain]\nclose_reason = \"" + umlauts + "x\"")),
              testing::ElementsAre("2:16: error: 'close_reason' must have at most 123 bytes, which "
                                   "is what fits in a close frame, not 124"));
}

TEST(ConfigDrain, TellsWhatIsWrong) {
  expect_each({
      {"too long", table("[drain]\nover = \"3h\"\nhard_stop = \"4h\""),
       "2:8: error: 'over' must be between 0s and 2h, not 3h"},
      {"delay", table("[drain]\ndelay = \"25h\""),
       "2:9: error: 'delay' must be between 0s and 24h, not 25h"},
      {"no time at all", table("[drain]\nhard_stop = \"0s\""),
       "2:13: error: 'hard_stop' must be between 1ms and 24h, not 0s"},
      {"code", table("[drain]\nclose_code = \"1001\""),
       "2:14: error: 'close_code' must be a close code, 1001, 1012 or 4000 to 4999, not a string"},
      {"reason", table("[drain]\nclose_reason = 1"),
       "2:16: error: 'close_reason' must be a string in quotes, not an integer"},
      {"order", table("[drain]\norder = \"newest\""),
       "2:9: error: 'order' must be one of random, oldest, not 'newest'"},
      {"key", table("[drain]\nhardstop = \"2m\""),
       "2:1: error: unknown key 'hardstop' in [drain]; did you mean 'hard_stop'?"},
  });
}

TEST(ConfigDrain, StopsHardOnlyBehindAllElse) {
  constexpr const char* kCuts =
      "must be more than 'delay' and 'over' together, 5s: it would cut what they are to let end";
  expect_each({
      {"equal", table("[drain]\ndelay = \"2s\"\nover = \"3s\"\nhard_stop = \"5s\""),
       std::string("4:13: error: 'hard_stop', which is 5s, ") + kCuts},
      {"by default", table("[drain]\nover = \"1m\""),
       "1:1: error: 'hard_stop', which is 1m by default, must be more than 'delay' and 'over' "
       "together, 1m: it would cut what they are to let end"},
      {"more", table("[drain]\ndelay = \"2s\"\nover = \"3s\"\nhard_stop = \"5001ms\"")},
      {"a wrong one is told alone", table("[drain]\nover = \"3h\"\nhard_stop = \"1s\""),
       "2:8: error: 'over' must be between 0s and 2h, not 3h"},
  });
}

TEST(ConfigReload, SaysWhatBecomesOfOrphans) {
  EXPECT_EQ(read(complete())->reload.orphans, Orphans::keep);
  EXPECT_EQ(read(table("[reload]\norphans = \"drain\""))->reload.orphans, Orphans::drain);
  expect_each({
      {"word", table("[reload]\norphans = \"close\""),
       "2:11: error: 'orphans' must be one of keep, drain, not 'close'"},
      {"key", table("[reload]\norphan = \"keep\""),
       "2:1: error: unknown key 'orphan' in [reload]; did you mean 'orphans'?"},
  });
}

TEST(ConfigUpgrade, HasPatience) {
  EXPECT_EQ(read(complete())->upgrade.patience, 1min);
  EXPECT_EQ(read(kEveryKey)->upgrade.patience, 5min);
  EXPECT_EQ(read(table("[upgrade]\npatience = \"1ms\""))->upgrade.patience, 1ms);
  EXPECT_EQ(read(table("[upgrade]\npatience = \"1h\""))->upgrade.patience, 1h);
  for (const std::string wrong : {"0s", "61m"}) {
    const auto errors = errors_of(table("[upgrade]\npatience = \"" + wrong + "\""));
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_THAT(errors.front(), testing::HasSubstr("'patience' must be")) << errors.front();
  }
}

}  // namespace
}  // namespace gateway::config
