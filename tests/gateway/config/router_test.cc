// Which route a request goes to.
#include <gtest/gtest.h>

#include <string>

#include "gateway/config/config.hh"

namespace gateway::config {
namespace {

Config with(std::vector<Route> routes) {
  Config config;
  config.routes = std::move(routes);
  for (size_t index = 0; index < config.routes.size(); ++index)
    EXPECT_FALSE(config.router.add(index, config.routes[index]));
  return config;
}

struct Request {
  const char* host;
  const char* path;
  const char* route;  // "" for none
};

void expect_each(const Config& config, const std::vector<Request>& requests) {
  for (const Request& request : requests) {
    const Route* const route = config.match(request.host, request.path);
    EXPECT_EQ(route == nullptr ? "" : route->name, request.route) << request.host << request.path;
  }
}

TEST(Router, MatchesPathsOnSegmentBordersAndTheLongestFirst) {
  const Config config = with({{"root", {}, "/", 0},
                              {"ws", {}, "/ws", 0},
                              {"deep", {}, "/ws/chat/room", 0},
                              {"api", {}, "/ap", 0}});
  expect_each(config, {
                          {"", "/", "root"},
                          {"", "/w", "root"},
                          {"", "/ws", "ws"},
                          {"", "/ws/", "ws"},
                          {"", "/ws/x", "ws"},
                          {"", "/wsx", "root"},
                          {"", "/ws/chat", "ws"},
                          {"", "/ws/chat/room", "deep"},
                          {"", "/ws/chat/rooms", "ws"},
                          {"", "/ws/chat/room/1", "deep"},
                          {"", "/WS", "root"},
                          {"", "/ap/x", "api"},
                          {"any.example", "/ws/x", "ws"},
                      });
}

TEST(Router, PrefersTheNarrowerHostToTheLongerPath) {
  const Config config = with({{"any-long", {}, "/ws/long", 0},
                              {"wide", {"*.example.org"}, "/ws", 0},
                              {"narrow", {"*.chat.example.org"}, "/ws", 0},
                              {"exact", {"a.chat.example.org", "b.example"}, "/ws", 0}});
  expect_each(config, {
                          {"a.chat.example.org", "/ws/long", "exact"},
                          {"b.example", "/ws/long", "exact"},
                          {"x.chat.example.org", "/ws/long", "narrow"},
                          {"y.x.chat.example.org", "/ws", "narrow"},
                          {"x.example.org", "/ws/long", "wide"},
                          {"chat.example.org", "/ws", "wide"},
                          {"example.org", "/ws/long", "any-long"},
                          {"badexample.org", "/ws", ""},
                          {".example.org", "/ws", ""},
                          {"example.org.evil", "/ws", ""},
                      });
}

TEST(Router, FallsThroughToAWiderHostWhereNoPathMatches) {
  const Config config = with({{"any", {}, "/", 0},
                              {"wide", {"*.example.org"}, "/static", 0},
                              {"exact", {"chat.example.org"}, "/ws", 0}});
  expect_each(config, {
                          {"chat.example.org", "/ws", "exact"},
                          {"chat.example.org", "/static/x", "wide"},
                          {"chat.example.org", "/index.html", "any"},
                      });
}

TEST(Router, FindsNothingWhereNothingMatches) {
  expect_each(with({}), {{"a", "/", ""}, {"", "/", ""}});
  expect_each(with({{"a", {"a"}, "/", 0}}),
              {{"a", "/", "a"}, {"b", "/", ""}, {"", "/", ""}, {"a", "*", ""}, {"a", "", ""}});
}

TEST(Router, TakesAHostOfDotsForWhatItIs) {
  const Config config = with({{"wide", {"*.example.org"}, "/", 0}, {"any", {}, "/any", 0}});
  const std::string dots(100'000, '.');
  const Route* const route = config.match(dots, "/any");
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->name, "any");
  EXPECT_EQ(config.match(dots + "example.org", "/"), nullptr);
}

TEST(Router, ReportsATieAndKeepsTheEarlierRoute) {
  Config config = with({{"first", {"a", "*.b"}, "/x", 0}});
  const auto tie = config.router.add(1, {"second", {"c", "*.b"}, "/x", 0});
  ASSERT_TRUE(tie);
  EXPECT_EQ(tie->first, 0u);
  EXPECT_EQ(tie->second, 1u);
  EXPECT_EQ(tie->host, "*.b");
  EXPECT_EQ(config.router.match("x.b", "/x"), 0u);
  EXPECT_EQ(config.router.match("c", "/x"), 1u);
}

TEST(Router, HoldsNoPointerIntoTheConfigurationItWasBuiltFrom) {
  Config config = with({{"only", {"a"}, "/", 0}});
  const Config moved = std::move(config);
  ASSERT_NE(moved.match("a", "/"), nullptr);
  EXPECT_EQ(moved.match("a", "/"), &moved.routes[0]);
}

}  // namespace
}  // namespace gateway::config
