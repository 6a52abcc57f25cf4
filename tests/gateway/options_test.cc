// The command line.
#include "gateway/options.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
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
  EXPECT_FALSE(options->watch);
  EXPECT_FALSE(options->shards);
  EXPECT_THAT(options->command_line.from, IsEmpty());
  EXPECT_THAT(options->command_line.to, IsEmpty());
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

TEST(Options, NameServersForAPool) {
  const auto set = parse({"servers", "chat", "set", "10.0.0.7:9001=2", "10.0.0.8:9001", "-c", "f"});
  ASSERT_TRUE(set) << set.error().text;
  EXPECT_EQ(set->command, "servers chat set\t10.0.0.7:9001=2\t10.0.0.8:9001");
  EXPECT_EQ(set->config_file, "f");
  EXPECT_EQ(parse({"servers", "chat", "reset"})->command, "servers chat reset");
  EXPECT_EQ(parse({"pools"})->command, "pools");
  EXPECT_EQ(parse({"pools", "--json"})->command, "pools --json");
  EXPECT_EQ(parse({"metrics"})->command, "metrics");
  EXPECT_EQ(parse({"metrics", "--openmetrics"})->command, "metrics --openmetrics");
  for (const std::vector<const char*>& words : {std::vector<const char*>{"servers"},
                                                {"servers", "chat"},
                                                {"servers", "chat", "set"},
                                                {"servers", "chat", "set", "nobody"},
                                                {"metrics", "chat"},
                                                {"status", "--openmetrics"},
                                                {"pools", "chat"}}) {
    const auto wrong = parse(words);
    ASSERT_FALSE(wrong) << words.back();
    EXPECT_EQ(wrong.error().code, 2);
  }
  std::vector<std::string> many;
  for (int port = 10000; port < 11000; ++port)
    many.push_back("10.100.100.1:" + std::to_string(port));
  std::vector<const char*> words = {"servers", "chat", "set"};
  for (const std::string& one : many) words.push_back(one.c_str());
  const auto long_line = parse(words);
  ASSERT_FALSE(long_line);
  EXPECT_THAT(long_line.error().text, HasSubstr("give some of them with add"));
}

TEST(Options, WatchFiles) {
  const auto named = parse({"--watch", "-c", "a.conf"});
  ASSERT_TRUE(named) << named.error().text;
  EXPECT_TRUE(named->watch);
  const auto certificate =
      parse({"--from", "https://:443", "--to", "a:1", "--cert", "site.pem", "--watch"});
  ASSERT_TRUE(certificate) << certificate.error().text;
  EXPECT_TRUE(certificate->watch);
}

TEST(Options, TakeThePlaceOfAFile) {
  const auto options =
      parse({"--from", "http://:80", "--from=https://:443", "--to", "127.0.0.1:3000", "--to",
             "unix:app.sock", "--cert", "chain.pem", "--key", "key.pem", "-t"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_THAT(options->command_line.from, ElementsAre("http://:80", "https://:443"));
  EXPECT_THAT(options->command_line.to, ElementsAre("127.0.0.1:3000", "unix:app.sock"));
  EXPECT_EQ(options->command_line.chain_path, "chain.pem");
  EXPECT_EQ(options->command_line.key_path, "key.pem");
  EXPECT_TRUE(options->test);
}

TEST(Options, SayWhatGoesTogether) {
  struct Case {
    std::vector<const char*> arguments;
    const char* error;
  };
  const std::vector<Case> cases = {
      {{"--from", "http://:80"},
       "--from needs --to, a server for the requests, such as --to 127.0.0.1:3000"},
      {{"--to", "127.0.0.1:3000"},
       "--to needs --from, where clients come in, such as --from http://:8080"},
      {{"--from", "http://:80", "--to", "127.0.0.1:3000", "-c", "gateway.conf"},
       "either a configuration file, with -c, or --from and --to: not both"},
      {{"--config", "gateway.conf", "--to", "127.0.0.1:3000"},
       "either a configuration file, with -c, or --from and --to: not both"},
      {{"--cert", "chain.pem"},
       "--cert and --key go with --from; in a configuration file write certificates = [...]"},
      {{"--watch", "-t"}, "--watch is for a gateway that serves: leave it out with -t"},
      {{"--watch", "reload"}, "--watch is for a gateway that serves: leave it out with reload"},
      {{"--watch", "--from", "https://:443", "--to", "127.0.0.1:3000"},
       "--watch has nothing to watch: it goes with -c FILE, or with --cert"},
  };
  for (const Case& one : cases) {
    const auto options = parse(one.arguments);
    ASSERT_FALSE(options) << one.error;
    EXPECT_EQ(options.error().code, 2);
    EXPECT_EQ(options.error().text, "gateway: error: " + std::string(one.error) + "\n");
  }
}

TEST(Options, NameACommandForTheGatewayThatRuns) {
  struct Case {
    std::vector<const char*> arguments;
    const char* line;
  };
  const std::vector<Case> cases = {
      {{"reload", "-c", "a.conf"}, "reload"},
      {{"drain", "chat", "-c", "a.conf"}, "drain chat"},
      {{"-c", "a.conf", "undrain", "chat/10.0.0.1:9001"}, "undrain chat/10.0.0.1:9001"},
      {{"drain", "--over", "10m", "chat/[::1]:1", "--code=1012", "--reason", "bye now", "-c",
        "a.conf"},
       "drain chat/[::1]:1\tover=10m\tcode=1012\treason=bye now"},
      {{"drain", "stop", "-c", "a.conf"}, "drain stop"},
  };
  for (const Case& one : cases) {
    const auto options = parse(one.arguments);
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_EQ(options->command, one.line);
    EXPECT_EQ(options->config_file, "a.conf");
  }
}

TEST(Options, CheckADrainBeforeItIsAskedFor) {
  const auto over = parse({"drain", "chat", "--over", "3h"});
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, 2);
  EXPECT_EQ(over.error().text, "gateway: error: --over must be between 0s and 2h, not 3h\n");
  for (const std::vector<const char*>& wrong : {std::vector<const char*>{"drain"},
                                                {"undrain", "chat", "--over", "1m"},
                                                {"drain", "/"},
                                                {"drain", "a", "b"},
                                                {"drain", "a", "--code", "1000"}}) {
    const auto options = parse(wrong);
    ASSERT_FALSE(options) << wrong.back();
    EXPECT_EQ(options.error().code, 2) << wrong.back();
  }
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
                                                {"--from"},
                                                {"--from", "http://:1", "x", "--to", "a:1"},
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
