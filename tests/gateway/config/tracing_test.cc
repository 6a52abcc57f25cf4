// [tracing]: where spans go, and which.
#include "tests/gateway/config/every_key.hh"
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kEndpoint = "endpoint = \"http://127.0.0.1:4318/v1/traces\"\n";

std::string tracing(std::string_view keys) {
  return complete() + "[defaults]\ntrace = \"create\"\n[tracing]\n" + std::string(keys);
}

std::vector<std::string> errors_with(std::string_view keys) {
  const std::string text = "[tracing]\n" + std::string(kEndpoint) + std::string(keys) + "\n" +
                           complete() + "[defaults]\ntrace = \"create\"\n";
  return errors_of(text);
}

TEST(ConfigTracing, IsOffByDefault) {
  EXPECT_FALSE(read(complete())->tracing);
  EXPECT_FALSE(read(tracing("endpoint = \"off\""))->tracing);
  EXPECT_FALSE(read(tracing("sample = \"1%\""))->tracing);
}

TEST(ConfigTracing, IsWhatTheFileSays) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  ASSERT_TRUE(config->tracing);
  const TracingSettings& settings = *config->tracing;
  EXPECT_EQ(settings.host, "127.0.0.1:4318");
  EXPECT_EQ(settings.path, "/v1/traces?team=a");
  EXPECT_EQ(settings.header_lines, "X-Key: a secret\r\n");
  EXPECT_EQ(settings.sampled_of_all, 360287970189640u);  // of 2^56
  EXPECT_EQ(settings.parent, SamplingParent::trusted);
  EXPECT_EQ(settings.service, "edge");
  EXPECT_EQ(settings.interval, std::chrono::seconds(2));
  EXPECT_EQ(settings.timeout, std::chrono::seconds(3));
  EXPECT_EQ(settings.queue, 1000u);
  const Pool& pool = config->pools[settings.pool];
  EXPECT_EQ(pool.name, settings.pool_name);
  EXPECT_TRUE(pool.is_of_url);
  EXPECT_FALSE(pool.tls);
}

TEST(ConfigTracing, SharesTheServerOfAnUrl) {
  const auto config =
      read(tracing(kEndpoint) + "[defaults.auth]\nrequest = \"http://127.0.0.1:4318/check\"\n");
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->tracing->pool, config->defaults.auth.request->pool);
}

TEST(ConfigTracing, AsksForAProofOverTls) {
  const auto config = read(tracing("endpoint = \"https://known.test/v1/traces\""));
  ASSERT_TRUE(config) << config.error().front().text();
  const Pool& pool = config->pools[config->tracing->pool];
  ASSERT_TRUE(pool.tls);
  EXPECT_TRUE(pool.tls->verify);
  EXPECT_EQ(pool.servers.front().host, "known.test");
}

TEST(ConfigTracing, WarnsWhereThereWillBeNoSpans) {
  const auto config = read(complete() + "[tracing]\n" + std::string(kEndpoint));
  ASSERT_TRUE(config);
  EXPECT_THAT(config->warnings, ElementsAre(HasSubstr("no route has a trace")));
  EXPECT_THAT(read(tracing(kEndpoint))->warnings, IsEmpty());
}

TEST(ConfigTracing, TakesAnyShare) {
  const auto share = [](std::string_view text) {
    return read(tracing(std::string(kEndpoint) + "sample = \"" + std::string(text) + "\""))
        ->tracing->sampled_of_all;
  };
  EXPECT_EQ(share("0%"), 0u);
  EXPECT_EQ(share("100%"), std::uint64_t{1} << 56);
  EXPECT_EQ(share("50%"), std::uint64_t{1} << 55);
  EXPECT_EQ(share("0.0001%"), 72057594038u);
}

TEST(ConfigTracing, NamesWhatIsWrong) {
  for (const char* bad : {"101%", "-1%", "1", "%", "nan%", "1e1%", "1 %", "inf%"}) {
    EXPECT_THAT(errors_with("sample = \"" + std::string(bad) + "\""),
                ElementsAre(HasSubstr(":10: error: 'sample' must be a share in quotes")))
        << bad;
  }
  EXPECT_THAT(errors_with("headers = { \"Content-Type\" = \"a\" }"),
              ElementsAre(HasSubstr("'Content-Type' is written by the gateway itself")));
  EXPECT_THAT(errors_with("headers = { \"Content-Length\" = \"a\" }"),
              ElementsAre(HasSubstr("'Content-Length' cannot be changed")));
  EXPECT_THAT(errors_with("headers = { X-Key = \"se\\u0007cret\" }"),
              ElementsAre(testing::AllOf(HasSubstr("'X-Key' must not have control characters"),
                                         testing::Not(HasSubstr("cret")))));
  EXPECT_THAT(errors_with("headers = [\"X-Key\"]"), ElementsAre(HasSubstr("a table")));
  EXPECT_THAT(errors_with("parent = \"trust\""), ElementsAre(HasSubstr("'trusted'")));
  EXPECT_THAT(errors_with("queue = 0"), ElementsAre(HasSubstr("'queue'")));
  EXPECT_THAT(errors_with("interval = \"1ms\""), ElementsAre(HasSubstr("'interval'")));
  EXPECT_THAT(errors_with("sampel = \"1%\""), ElementsAre(HasSubstr("'sample'")));
  for (const char* bad :
       {"127.0.0.1:4318", "ftp://a.test/", "http://me@a.test/", "http://a.test/ b"}) {
    EXPECT_THAT(errors_of("[tracing]\nendpoint = \"" + std::string(bad) + "\"\n" + complete()),
                ElementsAre(HasSubstr("must be an URL, such as \"http://127.0.0.1:4318")))
        << bad;
  }
  EXPECT_THAT(errors_of("[tracing]\nendpoint = \"http://nowhere.test/\"\n" + complete()),
              ElementsAre(HasSubstr("no such name")));
}

}  // namespace
}  // namespace gateway::config
