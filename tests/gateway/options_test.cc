// The command line.
#include "gateway/options.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

std::expected<Options, EarlyExit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "gateway");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, HaveDefaults) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->config_file, "gateway.conf");
  EXPECT_FALSE(options->test);
  EXPECT_FALSE(options->version);
  EXPECT_FALSE(options->shards);
  EXPECT_EQ(options->receive, ReceiveForm::automatic);
}

TEST(Options, TakeShortAndLongForms) {
  const auto brief = parse({"-t", "-c", "a.conf"});
  ASSERT_TRUE(brief);
  EXPECT_TRUE(brief->test);
  EXPECT_EQ(brief->config_file, "a.conf");

  const auto full = parse({"--test", "--config=b.conf", "--shards", "2", "--receive", "oneshot"});
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->test);
  EXPECT_EQ(full->config_file, "b.conf");
  EXPECT_EQ(full->shards, 2u);
  EXPECT_EQ(full->receive, ReceiveForm::one_shot);

  const auto multishot = parse({"--version", "--receive=multishot"});
  ASSERT_TRUE(multishot);
  EXPECT_TRUE(multishot->version);
  EXPECT_EQ(multishot->receive, ReceiveForm::multishot);
}

TEST(Options, ExplainThemselvesOnRequest) {
  const auto options = parse({"--help"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().code, 0);
  EXPECT_THAT(options.error().text, HasSubstr("--config"));
  EXPECT_THAT(options.error().text, Not(HasSubstr("--receive")));
}

TEST(Options, RefuseWhatTheyDoNotKnow) {
  for (const std::vector<const char*>& wrong : {std::vector<const char*>{"--confg", "x"},
                                                {"x"},
                                                {"-c"},
                                                {"--shards", "0"},
                                                {"--shards", "257"},
                                                {"--shards", "-1"},
                                                {"--shards", "two"},
                                                {"--receive", "both"}}) {
    const auto options = parse(wrong);
    ASSERT_FALSE(options) << wrong.front();
    EXPECT_EQ(options.error().code, 2) << wrong.front();
    EXPECT_FALSE(options.error().text.empty()) << wrong.front();
  }
}

}  // namespace
}  // namespace gateway
