// Who may ask: tables of heads, and what becomes of each.
#include "gateway/admin/gate.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/network.hh"

namespace gateway::admin {
namespace {

constexpr std::string_view kToken = "0123456789abcdef0123456789abcdef";

config::AdminSettings listening_at(const std::string& host, std::string_view token = kToken) {
  config::AdminSettings settings;
  settings.address = config::literal_address({host, 9090});
  settings.hosts = {"gateway.internal"};
  settings.token = token;
  return settings;
}

std::uint16_t status_of(const config::AdminSettings& settings, const Credentials& credentials,
                        Wish wish) {
  const auto refusal = judge(settings, credentials, wish);
  return refusal ? refusal->status : 200;
}

TEST(AdminGate, KnowsTheHostsOfALocalListener) {
  const auto settings = listening_at("127.0.0.1");
  const auto status = [&](std::string_view host) {
    return status_of(settings, {.host = host}, Wish::kRead);
  };
  for (const char* host : {"localhost", "LocalHost:9090", "127.0.0.1:9090", "127.0.0.1",
                           "[::1]:9090", "127.9.9.9", "gateway.internal", "Gateway.Internal:80"})
    EXPECT_EQ(status(host), 200) << host;
  for (const char* host :
       {"", "evil.test", "localhost.evil.test", "10.0.0.1:9090", "127.0.0.1.evil.test",
        "evil.test:9090", "0.0.0.0", "[::]", "[fe80::1]", "gateway.internal.", "2130706433"})
    EXPECT_EQ(status(host), 421) << host;
}

TEST(AdminGate, KnowsTheAddressesOfOneThatOthersReach) {
  const auto any = listening_at("0.0.0.0");
  const auto one = listening_at("10.0.0.7");
  const Credentials asks{.host = "10.0.0.7:9090", .token = kToken};
  EXPECT_EQ(status_of(any, asks, Wish::kRead), 200);
  EXPECT_EQ(status_of(one, asks, Wish::kRead), 200);
  EXPECT_EQ(status_of(one, {.host = "10.0.0.8:9090", .token = kToken}, Wish::kRead), 421);
  EXPECT_EQ(status_of(any, {.host = "evil.test", .token = kToken}, Wish::kRead), 421);
}

TEST(AdminGate, RefusesPagesOfOtherOrigins) {
  const auto settings = listening_at("127.0.0.1");
  const auto status = [&](std::string_view origin, bool secure = false) {
    return status_of(settings, {.host = "localhost:9090", .origin = origin, .is_secure = secure},
                     Wish::kRead);
  };
  EXPECT_EQ(status("http://localhost:9090"), 200);
  EXPECT_EQ(status("https://localhost:9090", true), 200);
  for (const char* origin : {"null", "", "http://localhost", "https://localhost:9090",
                             "http://localhost:9091", "http://evil.test", "http://127.0.0.1:9090",
                             "http://localhost:9090.evil.test", "localhost:9090"})
    EXPECT_EQ(status(origin), 403) << origin;
  for (const char* site : {"cross-site", "same-site", "", "nonsense"})
    EXPECT_EQ(status_of(settings, {.host = "localhost", .fetch_site = site}, Wish::kLook), 403)
        << site;
  for (const char* site : {"same-origin", "none"})
    EXPECT_EQ(status_of(settings, {.host = "localhost", .fetch_site = site}, Wish::kLook), 200)
        << site;
}

TEST(AdminGate, AsksForTheTokenWhereItShould) {
  struct Case {
    const char* at;
    Wish wish;
    std::string_view token;
    std::uint16_t status;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"127.0.0.1", Wish::kLook, "", 200},
           {"127.0.0.1", Wish::kRead, "", 200},
           {"127.0.0.1", Wish::kChange, "", 401},
           {"127.0.0.1", Wish::kChange, "0123456789abcdef0123456789abcdeF", 401},
           {"127.0.0.1", Wish::kChange, "0123456789abcdef0123456789abcde", 401},
           {"127.0.0.1", Wish::kChange, kToken, 200},
           {"10.0.0.7", Wish::kLook, "", 200},
           {"10.0.0.7", Wish::kRead, "", 401},
           {"10.0.0.7", Wish::kRead, "x", 401},
           {"10.0.0.7", Wish::kRead, kToken, 200},
           {"10.0.0.7", Wish::kChange, "", 401},
           {"10.0.0.7", Wish::kChange, kToken, 200}}) {
    const auto settings = listening_at(one.at);
    EXPECT_EQ(status_of(settings, {.host = one.at, .token = one.token}, one.wish), one.status)
        << one.at << " " << one.token;
  }
}

TEST(AdminGate, LetsNobodyChangeAnythingWithoutATokenOrACertificate) {
  const auto settings = listening_at("127.0.0.1", "");
  EXPECT_EQ(status_of(settings, {.host = "localhost"}, Wish::kRead), 200);
  EXPECT_EQ(status_of(settings, {.host = "localhost", .token = ""}, Wish::kChange), 403);
  EXPECT_EQ(
      status_of(settings, {.host = "localhost", .has_shown_certificate = true}, Wish::kChange),
      200);
}

TEST(AdminGate, FindsTheToken) {
  EXPECT_EQ(token_of_authorization("Bearer abc"), "abc");
  EXPECT_EQ(token_of_authorization("bearer  abc "), "abc");
  EXPECT_EQ(token_of_authorization("Basic abc"), "");
  EXPECT_EQ(token_of_authorization("Bearer"), "");
  EXPECT_EQ(token_of_authorization("Bearerabc"), "");
  EXPECT_EQ(token_of_subprotocols("gateway.live, bearer.abc"), "abc");
  EXPECT_EQ(token_of_subprotocols("bearer.abc,gateway.live"), "abc");
  EXPECT_EQ(token_of_subprotocols("gateway.live"), "");
  EXPECT_EQ(token_of_subprotocols("Bearer.abc"), "");
}

}  // namespace
}  // namespace gateway::admin
