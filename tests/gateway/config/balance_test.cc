// What a pool says of whom it chooses.
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

std::string with(std::string_view lines) {
  return pool("servers = \"127.0.0.1:1\"\n" + std::string(lines));
}

const BalanceSettings& balance_of(const std::expected<Config, Errors>& config) {
  return config.value().pools.front().balance;
}

TEST(BalanceSettings, TakeEveryKindOfKey) {
  struct Case {
    std::string_view text;
    HashKey key;
  };
  for (const Case& one :
       {Case{"address", {HashKey::By::address, ""}}, Case{"path", {HashKey::By::path, ""}},
        Case{"header:X-User", {HashKey::By::header, "X-User"}},
        Case{"cookie:session", {HashKey::By::cookie, "session"}},
        Case{"query:user", {HashKey::By::query, "user"}}}) {
    const auto config = read(with("balance = \"hash\"\nhash = \"" + std::string(one.text) + "\""));
    ASSERT_TRUE(config) << one.text;
    EXPECT_EQ(balance_of(config).hash, one.key);
    EXPECT_EQ(balance_of(config).hash_load_percent, 125u);
  }
}

TEST(BalanceSettings, AreStickyInOneLine) {
  const auto config = read(with("sticky = true"));
  ASSERT_TRUE(config);
  EXPECT_EQ(balance_of(config).sticky, Sticky{});
  const auto off = read(with("sticky = false"));
  ASSERT_TRUE(off);
  EXPECT_EQ(balance_of(off).sticky, std::nullopt);
  const auto table =
      read(with("[pool.app.sticky]\ncookie = \"x\"\nsame_site = \"none\"\n"
                "max_age = \"720h\""));
  ASSERT_TRUE(table);
  EXPECT_EQ(balance_of(table).sticky, (Sticky{"x", SameSite::none, std::chrono::hours(720)}));
}

TEST(BalanceSettings, TakeTablesOfServers) {
  const auto config =
      read(pool("servers = [\"127.0.0.1:1\", { address = \"127.0.0.1:2\", weight = 0 },\n"
                "{ address = \"127.0.0.1:3\", weight = 65535, backup = true, zone = \"b\" }]"));
  ASSERT_TRUE(config);
  const auto& servers = config->pools.front().servers;
  EXPECT_EQ(servers[0].weight, 1u);
  EXPECT_FALSE(servers[0].backup);
  EXPECT_EQ(servers[1].weight, 0u);
  EXPECT_EQ(servers[2].weight, 65535u);
  EXPECT_TRUE(servers[2].backup);
  EXPECT_EQ(servers[2].zone, "b");
}

TEST(BalanceErrors, TellTheRightForm) {
  expect_each({
      {"no key", with("balance = \"hash\""),
       "3:11: error: balance = \"hash\" needs 'hash', which says what is hashed, such as hash = "
       "\"cookie:session\""},
      {"a key for nothing", with("hash = \"path\"\nhash_load = 110"),
       "3:8: error: 'hash' needs balance = \"hash\"",
       "4:13: error: 'hash_load' needs balance = \"hash\""},
      {"odd key", with("balance = \"hash\"\nhash = \"user\""),
       "4:8: error: 'user' must be \"address\", \"path\", \"header:NAME\", \"cookie:NAME\" or "
       "\"query:NAME\""},
      {"key without a name", with("balance = \"hash\"\nhash = \"cookie:\""),
       "4:8: error: 'cookie:' must be \"address\", \"path\", \"header:NAME\", \"cookie:NAME\" or "
       "\"query:NAME\""},
      {"key with a name", with("balance = \"hash\"\nhash = \"path:x\""),
       "4:8: error: 'path:x' must be \"address\", \"path\", \"header:NAME\", \"cookie:NAME\" or "
       "\"query:NAME\""},
      {"load", with("balance = \"hash\"\nhash = \"path\"\nhash_load = 99"),
       "5:13: error: 'hash_load' is in percent of the mean, so it must be 100 at least, or "
       "\"off\", not 99"},
      {"sticky", with("sticky = \"yes\""),
       "3:10: error: 'sticky' must be true, false, or { cookie = \"gateway\" } and the like, not a "
       "string"},
      {"cookie", with("sticky = { cookie = \"a b\" }"),
       "3:21: error: 'a b' must be the name of a cookie, such as \"gateway\""},
      {"same_site", with("sticky = { same_site = \"Lax\" }"),
       "3:24: error: 'same_site' must be one of lax, strict, none, not 'Lax'; did you mean "
       "'lax'?"},
      {"rebalance of others", with("rebalance = { rate = \"5/s\" }"),
       "3:13: error: 'rebalance' needs balance = \"least-connections\": by any other, those who "
       "come again would not all go where there is room"},
      {"rebalance of who is stuck",
       with("balance = \"least-connections\"\nsticky = true\nrebalance = { rate = \"5/s\" }"),
       "5:13: error: 'rebalance' moves nobody where 'sticky' brings clients back to the server "
       "that they had: leave one of them out"},
      {"rate", with("balance = \"least-connections\"\nrebalance = { rate = \"5/m\" }"),
       "4:22: error: '5/m' must be a number of WebSockets a second, \"1/s\" to \"100000/s\""},
      {"code", with("balance = \"least-connections\"\nrebalance = { rate = \"5/s\", code = 1005 }"),
       "4:36: error: 'code' must be a close code, 1001, 1012 or 4000 to 4999, not 1005"},
      {"no rate", with("balance = \"least-connections\"\nrebalance = { code = 1012 }"),
       "4:13: error: [pool.app.rebalance] needs 'rate', such as rate = \"50/s\""},
      {"zone", table("zone = \"a b\""),
       "1:8: error: 'a b' must be a name of letters, digits and -_."},
      {"secret", table("secret = \"short\""),
       "1:10: error: 'secret' must have 16 bytes at least, such as 'openssl rand -hex 32' makes"},
      {"weight", pool("servers = [{ address = \"127.0.0.1:1\", weight = -1 }]"),
       "2:48: error: 'weight' must be between 0 and 65535, not -1"},
  });
}

TEST(BalanceErrors, AllOfThemComeAtOnce) {
  const auto errors =
      errors_of(pool("servers = [{ address = \"127.0.0.1:1\", weight = 70000, zone "
                     "= \"a b\" }]\nbalance = \"hash\"\nslow_start = \"1d\""));
  EXPECT_EQ(errors.size(), 4u);
}

}  // namespace
}  // namespace gateway::config
