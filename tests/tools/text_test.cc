// What the tools read from text: URLs and queries.
#include <gtest/gtest.h>

#include "tools/echo/query.hh"
#include "tools/load/url.hh"

namespace {

TEST(Url, IsTakenApart) {
  struct Case {
    std::string_view text;
    bool secure;
    std::string_view host;
    int port;
    std::string_view authority;
    std::string_view target;
  };
  for (const Case& each : {
           Case{"ws://localhost", false, "localhost", 80, "localhost", "/"},
           Case{"wss://a.b/c?d=e", true, "a.b", 443, "a.b", "/c?d=e"},
           Case{"ws://[::1]:9/x", false, "::1", 9, "[::1]:9", "/x"},
           Case{"ws://h:1?q", false, "h", 1, "h:1", "/?q"},
       }) {
    const auto url = load::parse_url(each.text);
    ASSERT_TRUE(url) << each.text << ": " << url.error();
    EXPECT_EQ(url->secure, each.secure) << each.text;
    EXPECT_EQ(url->host_port.host, each.host) << each.text;
    EXPECT_EQ(url->host_port.port, each.port) << each.text;
    EXPECT_EQ(url->authority, each.authority) << each.text;
    EXPECT_EQ(url->target, each.target) << each.text;
  }
}

TEST(Url, IsRefusedWithAReason) {
  for (const std::string_view text :
       {"", "http://a/", "ws://", "ws:///x", "ws://a:x/", "ws://a:65536/", "ws://[::1/",
        "ws://[::1]x/", "ws://a/#f", "ws://a/ b", "ws://a/\r\nX: y"}) {
    const auto url = load::parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_FALSE(url.error().empty()) << text;
  }
}

TEST(Query, FindsTheFirstOfAName) {
  const echo::Query query("?n=12&on=1&n=13&flag&empty=&text=a%20b+c%2&big=99999999999999999999");
  EXPECT_EQ(query.number("n", 7), 12u);
  EXPECT_EQ(query.number("missing", 7), 7u);
  EXPECT_EQ(query.number("text", 7), 7u);
  EXPECT_EQ(query.number("empty", 7), 7u);
  EXPECT_EQ(query.number("big", 7), 7u);
  EXPECT_TRUE(query.on("on"));
  EXPECT_FALSE(query.on("flag"));
  EXPECT_EQ(query.find("flag"), "");
  EXPECT_EQ(query.find("fla"), std::nullopt);
  EXPECT_EQ(query.text("text"), "a b c%2");
  EXPECT_EQ(query.text("missing", "otherwise"), "otherwise");
  EXPECT_EQ(echo::Query("").find("n"), std::nullopt);
}

}  // namespace
