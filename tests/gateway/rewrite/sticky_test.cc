// The gateway's own cookie: taken out of requests, set on responses, whatever else there is.
#include "tests/gateway/rewrite/heads.hh"

namespace {

using forward_test::kNoChanges;
using forward_test::parse_request;
using forward_test::parse_response;
using gateway::StickyCookie;

std::string cookies_of(std::string_view lines, std::string_view own = "gw") {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(lines) + "\r\n";
  std::string head;
  gateway::forward_request(head, parse_request(text), proto::as_bytes(text),
                           {.peer_address = "192.0.2.7",
                            .listener_port = 80,
                            .secure = false,
                            .peer_trusted = false,
                            .via = "",
                            .target = "/",
                            .changes = kNoChanges,
                            .websocket = nullptr,
                            .sticky_cookie = own});
  const std::size_t begin = head.find("\r\nX-Forwarded-For");
  const std::string_view before = std::string_view(head).substr(0, begin);
  constexpr std::string_view kStart = "GET / HTTP/1.1\r\nHost: x";
  EXPECT_TRUE(before.starts_with(kStart)) << head;
  return std::string(before.substr(kStart.size()));
}

TEST(StickyCookie, GoesToNoServer) {
  struct Case {
    std::string_view lines;
    std::string_view passed;
  };
  for (const Case& one : {
           Case{"Cookie: gw=1\r\n", ""},
           Case{"Cookie: a=1; gw=2; b=3\r\n", "\r\nCookie: a=1; b=3"},
           Case{"cookie: gw=1;gw=2;a=\"x y\"\r\n", "\r\ncookie: a=\"x y\""},
           Case{"Cookie: gw=1; a\r\nCookie: gw=2\r\nCookie: b=1\r\n",
                "\r\nCookie: a\r\nCookie: b=1"},
           // As it came where there is nothing to take out.
           Case{"Cookie: a=1;b=2;; xgw=1 ;gw\r\n", "\r\nCookie: a=1;b=2;; xgw=1 ;gw"},
           Case{"Cookie: GW=1\r\n", "\r\nCookie: GW=1"},
           Case{"Cookie: \r\n", "\r\nCookie: "},
           Case{"X-Cookie: gw=1\r\n", "\r\nX-Cookie: gw=1"},
       }) {
    EXPECT_EQ(cookies_of(one.lines), one.passed) << one.lines;
  }
}

TEST(StickyCookie, LeavesAllCookiesAloneWhereThereIsNone) {
  EXPECT_EQ(cookies_of("Cookie: =x; gw=1; ;a\r\n", ""), "\r\nCookie: =x; gw=1; ;a");
}

std::string set_cookies(std::string_view fields, const StickyCookie& sticky, bool switches) {
  const std::string text =
      "HTTP/1.1 " + std::string(switches ? "101" : "200") + " X\r\n" + std::string(fields) + "\r\n";
  const auto response = parse_response(text);
  std::string head;
  if (switches) {
    gateway::forward_switch(head, response, proto::as_bytes(text), "", kNoChanges, {}, sticky);
  } else {
    gateway::forward_response(head, response, proto::as_bytes(text),
                              {.framing = {http::Framing::kLength, 0},
                               .persistence = gateway::Persistence::kSilent,
                               .via = "",
                               .changes = kNoChanges,
                               .sticky = sticky});
  }
  std::string lines;
  constexpr std::string_view kName = "Set-Cookie: ";
  for (std::size_t at = head.find(kName); at != head.npos; at = head.find(kName, at + 1)) {
    const std::size_t begin = at + kName.size();
    lines.append("[").append(head.substr(begin, head.find('\r', begin) - begin)).append("]");
  }
  return lines;
}

TEST(StickyCookie, IsSetBesideTheServersOwn) {
  for (const bool switches : {false, true}) {
    EXPECT_EQ(set_cookies("Set-Cookie: a=1\r\n", {"gw", "gw=x; Path=/"}, switches),
              "[a=1][gw=x; Path=/]");
    EXPECT_EQ(set_cookies("Set-Cookie: a=1\r\n", {"gw", ""}, switches), "[a=1]");
    EXPECT_EQ(
        set_cookies("Set-Cookie: gw=1; Path=/\r\nSet-Cookie: xgw=1\r\n", {"gw", "gw=x"}, switches),
        "[xgw=1][gw=x]")
        << "a server's of that name gives way";
    EXPECT_EQ(set_cookies("Set-Cookie: gw=1\r\n", {"gw", ""}, switches), "");
    EXPECT_EQ(set_cookies("Set-Cookie: gw=1\r\n", {}, switches), "[gw=1]");
  }
}

}  // namespace
