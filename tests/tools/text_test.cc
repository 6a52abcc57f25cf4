// What the tools read from text: targets, units, storms and queries.
#include <gtest/gtest.h>

#include "tools/echo/query.hh"
#include "tools/load/storm.hh"
#include "tools/load/target.hh"
#include "tools/load/units.hh"

namespace {

TEST(Target, IsTakenApart) {
  struct Case {
    std::string_view text;
    bool websocket;
    bool secure;
    std::string_view host;
    int port;
    std::string_view authority;
    std::string_view path;
  };
  for (const Case& each : {
           Case{"ws://localhost", true, false, "localhost", 80, "localhost", "/"},
           Case{"wss://a.b/c?d=e", true, true, "a.b", 443, "a.b", "/c?d=e"},
           Case{"ws://[::1]:9/x", true, false, "::1", 9, "[::1]:9", "/x"},
           Case{"ws://h:1?q", true, false, "h", 1, "h:1", "/?q"},
           Case{"http://h/x", false, false, "h", 80, "h", "/x"},
           Case{"https://h", false, true, "h", 443, "h", "/"},
       }) {
    const auto target = load::parse_target(each.text);
    ASSERT_TRUE(target) << each.text << ": " << target.error();
    EXPECT_EQ(target->websocket, each.websocket) << each.text;
    EXPECT_EQ(target->secure, each.secure) << each.text;
    EXPECT_EQ(target->host_port.host, each.host) << each.text;
    EXPECT_EQ(target->host_port.port, each.port) << each.text;
    EXPECT_EQ(target->authority, each.authority) << each.text;
    EXPECT_EQ(target->path, each.path) << each.text;
    EXPECT_EQ(target->weight, 1) << each.text;
  }
}

TEST(Target, MayBeAUnixSocketAndHaveAWeight) {
  struct Case {
    std::string_view text;
    bool websocket;
    bool secure;
    std::string_view socket;
    std::string_view path;
    double weight;
  };
  for (const Case& each : {
           Case{"unix:/run/a.sock", true, false, "/run/a.sock", "/", 1},
           Case{"unix:/run/a.sock:/echo;weight=3", true, false, "/run/a.sock", "/echo", 3},
           Case{"https+unix:/a:/b?c", false, true, "/a", "/b?c", 1},
           Case{"ws+unix:/a", true, false, "/a", "/", 1},
       }) {
    const auto target = load::parse_target(each.text);
    ASSERT_TRUE(target) << each.text << ": " << target.error();
    EXPECT_EQ(target->websocket, each.websocket) << each.text;
    EXPECT_EQ(target->secure, each.secure) << each.text;
    EXPECT_EQ(target->socket_path, each.socket) << each.text;
    EXPECT_EQ(target->path, each.path) << each.text;
    EXPECT_EQ(target->weight, each.weight) << each.text;
  }
}

TEST(Target, IsRefusedWithAReason) {
  const std::string long_path = "unix:/" + std::string(200, 'a');
  for (const std::string_view text :
       {"", "ftp://a/", "ws://", "ws:///x", "ws://a:x/", "ws://a:65536/", "ws://[::1/",
        "ws://[::1]x/", "ws://a/#f", "ws://a/ b", "ws://a/\r\nX: y", "unix:a", "ws://a;weight=0",
        "ws://a;weight=x", "ws://a;weight=-1", "ws://a;weight=inf", long_path.c_str()}) {
    const auto target = load::parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_FALSE(target.error().empty()) << text;
  }
}

TEST(Units, AreRead) {
  using namespace std::chrono_literals;
  EXPECT_EQ(load::parse_duration("10"), 10s);
  EXPECT_EQ(load::parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(load::parse_duration("250ms"), 250ms);
  EXPECT_EQ(load::parse_duration("5m"), 5min);
  EXPECT_EQ(load::parse_bytes("64"), 64u);
  EXPECT_EQ(load::parse_bytes("16k"), 16u * 1024);
  EXPECT_EQ(load::parse_bytes("1M"), 1u << 20);
  EXPECT_EQ(load::parse_share("50%"), 0.5);
  EXPECT_EQ(load::parse_share("0.25"), 0.25);
}

TEST(Units, AreRefusedWithAReason) {
  for (const std::string_view text : {"", "s", "-1s", "1x", "1e99", "nan", "inf", "1 s"}) {
    EXPECT_FALSE(load::parse_duration(text)) << text;
    EXPECT_FALSE(load::parse_bytes(text)) << text;
    EXPECT_FALSE(load::parse_share(text)) << text;
  }
  EXPECT_FALSE(load::parse_bytes("2G"));
  EXPECT_FALSE(load::parse_share("101%"));
}

TEST(Storm, IsRead) {
  using namespace std::chrono_literals;
  const auto storm = load::parse_storm("at=30s  drop=20% reconnect=full-jitter:2s");
  ASSERT_TRUE(storm) << storm.error();
  EXPECT_EQ(storm->at, 30s);
  EXPECT_EQ(storm->share, 0.2);
  EXPECT_TRUE(storm->reconnect.on);
  EXPECT_EQ(storm->reconnect.most, 2s);
  const auto lost = load::parse_storm("at=1s reconnect=no");
  ASSERT_TRUE(lost) << lost.error();
  EXPECT_FALSE(lost->reconnect.on);
  for (const std::string_view text : {"at", "at=x", "drop=2", "reconnect=later", "when=1s"}) {
    EXPECT_FALSE(load::parse_storm(text)) << text;
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
