// Request lines and targets, limits, and what a complete request head says.
#include "proto/http/request.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proto/http/cases.hh"

namespace {

using http_test::Case;
using http_test::request_outcome;

void expect_all(const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    EXPECT_EQ(request_outcome(each.input), each.expected) << each.name;
  }
}

TEST(RequestParser, ReadsCompleteHeads) {
  expect_all({
      {"smallest", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
       "GET / origin path=/ query= at=a 1.1 [Host=a] +0"},
      {"body behind", "POST /x?y=1 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\n\r\nabc",
       "POST /x?y=1 origin path=/x query=?y=1 at=a:80 1.1 length=3 [Host=a:80] "
       "[Content-Length=3] +3"},
      {"old version without Host", "GET / HTTP/1.0\r\n\r\n",
       "GET / origin path=/ query= at= 1.0 +0"},
      {"one empty line first", "\r\nGET / HTTP/1.0\r\n\r\n",
       "GET / origin path=/ query= at= 1.0 +0"},
      {"two empty lines first", "\r\n\r\nGET / HTTP/1.0\r\n\r\n",
       "GET / origin path=/ query= at= 1.0 +0"},
      {"values trimmed", "GET / HTTP/1.1\r\nHost:a\r\nX: \t b c \t\r\nY:\r\nZ:  \r\n\r\n",
       "GET / origin path=/ query= at=a 1.1 [Host=a] [X=b c] [Y=] [Z=] +0"},
      {"bytes from 0x80 in a value", "GET / HTTP/1.0\r\nX: \x80\xff\r\n\r\n",
       "GET / origin path=/ query= at= 1.0 [X=\x80\xff] +0"},
      {"unusual method", "M-SEARCH!#$%&'*+.^_`|~ /a HTTP/1.0\r\n\r\n",
       "M-SEARCH!#$%&'*+.^_`|~ /a origin path=/a query= at= 1.0 +0"},
      {"upgrade",
       "GET /ws HTTP/1.1\r\nhOST: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
       "websocket\r\n\r\n",
       "GET /ws origin path=/ws query= at=a 1.1 keep-alive upgrade [hOST=a] "
       "[Connection=keep-alive, Upgrade] [Upgrade=websocket] +0"},
      {"chunked", "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
       "PUT / origin path=/ query= at=a 1.1 chunked [Host=a] [Transfer-Encoding=Chunked] +0"},
  });
}

TEST(RequestParser, ReadsEveryFormOfTarget) {
  expect_all({
      {"query only question mark", "GET /? HTTP/1.0\r\n\r\n",
       "GET /? origin path=/ query=? at= 1.0 +0"},
      {"query with question marks and slashes", "GET /a?b?/c HTTP/1.0\r\n\r\n",
       "GET /a?b?/c origin path=/a query=?b?/c at= 1.0 +0"},
      {"what browsers send unencoded", "GET /a?b|c^{d}\\\"` HTTP/1.0\r\n\r\n",
       "GET /a?b|c^{d}\\\"` origin path=/a query=?b|c^{d}\\\"` at= 1.0 +0"},
      // Bytes of a path like any other, forwarded as they came: a backslash separates nothing.
      {"in the path, too", "GET /\\a\"<>^`{|} HTTP/1.0\r\n\r\n",
       "GET /\\a\"<>^`{|} origin path=/\\a\"<>^`{|} query= at= 1.0 +0"},
      {"two slashes are a path", "GET //a HTTP/1.0\r\n\r\n",
       "GET //a origin path=//a query= at= 1.0 +0"},
      {"absolute-form overrides Host", "GET http://b:81/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
       "GET http://b:81/p?q absolute path=/p query=?q at=b:81 1.1 [Host=a] +0"},
      {"absolute-form without a path", "GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n",
       "GET HTTPS://b absolute path= query= at=b 1.1 [Host=a] +0"},
      {"absolute-form with a query alone", "GET http://[::1]?q HTTP/1.1\r\nHost: a\r\n\r\n",
       "GET http://[::1]?q absolute path= query=?q at=[::1] 1.1 [Host=a] +0"},
      {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
       "OPTIONS * asterisk path=* query= at=a 1.1 [Host=a] +0"},
      {"authority-form", "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n",
       "CONNECT b:443 authority path= query= at=b:443 1.1 [Host=a] +0"},
  });
}

TEST(RequestParser, RefusesMoreConnectionOptionsThanItCountsFor) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: a,,close\r\nConnection: ";
  std::string most;
  for (std::uint32_t count = 4; count < http::kConnectionOptionsMax; ++count) most += "b,";
  http::RequestHead parsed;
  http::RequestParser accepts(parsed);
  EXPECT_TRUE(accepts.parse(proto::as_bytes(head + most + "b\r\n\r\n")).has_value());
  http::RequestParser refuses(parsed);
  const std::string more = head + most + "b,b\r\n\r\n";
  const auto state = refuses.parse(proto::as_bytes(more));
  ASSERT_FALSE(state.has_value());
  EXPECT_EQ(state.error().status, 400);
  EXPECT_EQ(state.error().reason, "too many Connection options");
}

TEST(RequestParser, RefusesRequestLines) {
  const std::string malformed = "400 malformed request line";
  const std::string version = "400 malformed HTTP version";
  expect_all({
      {"space first", " GET / HTTP/1.1\r\n", malformed},
      {"empty method", "/ HTTP/1.1\r\n", malformed},
      {"separator in the method", "GE(T / HTTP/1.1\r\n", malformed},
      {"method alone", "GET\r\n", malformed},
      {"three empty lines first", "\r\n\r\n\r\n", "400 empty request line"},
      {"HTTP/0.9", "GET /\r\n", "400 request line without a version"},
      {"two spaces before the target", "GET  / HTTP/1.1\r\n", "400 empty request target"},
      {"two spaces before the version", "GET /  HTTP/1.1\r\n", version},
      {"space behind the version", "GET / HTTP/1.1 \r\n", version},
      {"space in the target", "GET /a b HTTP/1.1\r\n", version},
      {"tab for a space", "GET\t/ HTTP/1.1\r\n", malformed},
      {"tab before the version", "GET /\tHTTP/1.1\r\n", "400 invalid byte in the request target"},
      {"tab behind the version", "GET / HTTP/1.1\t\r\n", version},
      {"mixed case", "GET / Http/1.1\r\n", version},
      {"tab in the target", "GET /\ta HTTP/1.1\r\n", "400 invalid byte in the request target"},
      {"lower case", "GET / http/1.1\r\n", version},
      {"one digit", "GET / HTTP/1\r\n", version},
      {"two digits", "GET / HTTP/1.10\r\n", version},
      {"leading zero", "GET / HTTP/01.1\r\n", version},
      {"letter", "GET / HTTP/1.x\r\n", version},
      {"comma", "GET / HTTP/1,1\r\n", version},
      {"HTTP/1.2", "GET / HTTP/1.2\r\n", "505 unsupported HTTP version"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\n", "505 unsupported HTTP version"},
      {"HTTP/0.9 in words", "GET / HTTP/0.9\r\n", "505 unsupported HTTP version"},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 unsupported HTTP version"},
      {"a TLS hello", "\x16\x03\x01\x02", "400 control byte in the head"},
  });
}

TEST(RequestParser, RefusesTargets) {
  const std::string byte = "400 invalid byte in the request target";
  const std::string percent = "400 bad percent-encoding";
  const std::string target = "400 invalid request target";
  const std::string host = "400 invalid host in the request target";
  const std::string connect = "400 invalid target of CONNECT";
  expect_all({
      {"fragment", "GET /a#b HTTP/1.1\r\n", byte},
      {"byte from 0x80", "GET /\xc3\xa9 HTTP/1.1\r\n", byte},
      {"delete", "GET /\x7f HTTP/1.1\r\n", "400 control byte in the head"},
      {"NUL", std::string("GET /\0 HTTP/1.1\r\n", 17), "400 control byte in the head"},
      {"percent alone", "GET /% HTTP/1.1\r\n", percent},
      {"one digit", "GET /%4 HTTP/1.1\r\n", percent},
      {"no digit", "GET /%zz HTTP/1.1\r\n", percent},
      {"second not a digit", "GET /%41%4g HTTP/1.1\r\n", percent},
      {"in the query", "GET /?100%! HTTP/1.1\r\n", percent},
      {"relative", "GET a/b HTTP/1.1\r\n", target},
      {"query alone", "GET ?a HTTP/1.1\r\n", target},
      {"asterisk with GET", "GET * HTTP/1.1\r\n", target},
      {"asterisk and more", "OPTIONS *a HTTP/1.1\r\n", target},
      {"authority with GET", "GET a:80 HTTP/1.1\r\n", target},
      {"other scheme", "GET ftp://a/ HTTP/1.1\r\n", target},
      {"one slash", "GET http:/a HTTP/1.1\r\n", target},
      {"empty host", "GET http:///a HTTP/1.1\r\n", host},
      {"user information", "GET http://me@a/ HTTP/1.1\r\n", host},
      {"user information and password", "GET http://me:1@a:80/ HTTP/1.1\r\n", host},
      {"two ports", "GET http://a:80:81/ HTTP/1.1\r\n", host},
      {"backslash behind the host", "GET http://a\\b/ HTTP/1.1\r\n", host},
      {"backslashes for slashes", "GET http:\\\\a/ HTTP/1.1\r\n", target},
      {"backslash first", "GET \\a HTTP/1.1\r\n", target},
      {"bad port", "GET http://a:99999/ HTTP/1.1\r\n", host},
      {"CONNECT to a path", "CONNECT /a HTTP/1.1\r\n", connect},
      {"CONNECT to a URI", "CONNECT http://a:80/ HTTP/1.1\r\n", connect},
      {"CONNECT without a port", "CONNECT a HTTP/1.1\r\n", connect},
      {"CONNECT with an empty port", "CONNECT a: HTTP/1.1\r\n", connect},
  });
}

TEST(RequestParser, RefusesHosts) {
  const std::string invalid = "400 invalid Host";
  expect_all({
      {"none", "GET / HTTP/1.1\r\n\r\n", "400 no Host"},
      {"none with absolute-form", "GET http://a/ HTTP/1.1\r\n\r\n", "400 no Host"},
      {"two", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "400 more than one Host"},
      {"two of HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n", "400 more than one Host"},
      {"empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", invalid},
      {"invalid with absolute-form", "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", invalid},
      {"list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", invalid},
      {"path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", invalid},
      {"user information", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", invalid},
      {"bad port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", invalid},
      {"two ports", "GET / HTTP/1.1\r\nHost: a:80:81\r\n\r\n", invalid},
      {"two ports of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:80:81\r\n\r\n", invalid},
      {"invalid of HTTP/1.0", "GET / HTTP/1.0\r\nHost: ?\r\n\r\n", invalid},
  });
}

TEST(RequestParser, WaitsForTheRest) {
  expect_all({
      {"nothing", "", "more"},
      {"part of a method", "GE", "more"},
      {"no empty line", "GET / HTTP/1.1\r\nHost: a\r\n", "more"},
      {"half an empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r", "more"},
      {"an empty line alone", "\r\n", "more"},
  });
}

TEST(RequestParser, BoundsTheTarget) {
  const http::HeadLimits limits{.head_bytes = 1024, .target_bytes = 100};
  const auto with_target = [](std::size_t bytes) {
    return "GET /" + std::string(bytes - 1, 'a') + " HTTP/1.0\r\n\r\n";
  };
  EXPECT_TRUE(request_outcome(with_target(100), limits).starts_with("GET /aaa"));
  EXPECT_EQ(request_outcome(with_target(101), limits), "414 request target too long");
  EXPECT_EQ(request_outcome(with_target(1000), limits), "414 request target too long");
  EXPECT_EQ(request_outcome("GET /" + std::string(500, 'a'), limits),
            "414 request target too long");
  EXPECT_EQ(request_outcome(with_target(8 * 1024 + 1)), "414 request target too long");
  EXPECT_TRUE(request_outcome(with_target(8 * 1024)).starts_with("GET /aaa"));
}

TEST(RequestParser, BoundsTheMethod) {
  const std::string longest(64, 'M');
  EXPECT_EQ(request_outcome(longest + " / HTTP/1.0\r\n\r\n"),
            longest + " / origin path=/ query= at= 1.0 +0");
  EXPECT_EQ(request_outcome(longest + "M / HTTP/1.0\r\n\r\n"), "501 method too long");
  const http::HeadLimits limits{.head_bytes = 1024, .target_bytes = 100};
  EXPECT_EQ(request_outcome(std::string(400, 'M'), limits), "501 method too long");
  EXPECT_EQ(request_outcome("GET(" + std::string(400, 'a'), limits), "400 malformed request line");
}

TEST(RequestParser, BoundsTheHeadAndNamesTheLargestField) {
  const http::HeadLimits limits{.head_bytes = 200, .target_bytes = 50};
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\n";
  const auto exact = [&](std::size_t bytes) {
    return begin + "X: " + std::string(bytes - begin.size() - 7, 'x') + "\r\n\r\n";
  };
  EXPECT_TRUE(request_outcome(exact(200), limits).starts_with("GET / origin"));
  EXPECT_TRUE(request_outcome(exact(200) + "body", limits).ends_with("x] +4"));
  EXPECT_EQ(request_outcome(exact(201), limits), "431 request head too large: X");
  EXPECT_EQ(
      request_outcome(begin + "Cookie: " + std::string(120, 'x') + "\r\nB: " + std::string(90, 'y'),
                      limits),
      "431 request head too large: Cookie");
  EXPECT_EQ(request_outcome(begin + "A: b\r\nCookie: " + std::string(300, 'x'), limits),
            "431 request head too large: Cookie");
  EXPECT_EQ(request_outcome(begin + std::string(300, 'x'), limits),
            "431 request head too large: Host");
}

TEST(RequestParser, BoundsTheNumberOfFields) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t field = 1; field < http::HeadLimits{}.fields; ++field) head += "A: b\r\n";
  EXPECT_TRUE(request_outcome(head + "\r\n").starts_with("GET / origin"));
  EXPECT_EQ(request_outcome(head + "Big: bcdef\r\n\r\n"), "431 too many fields: Big");
  EXPECT_EQ(request_outcome(head + "C: d\r\nE: " + std::string(20, 'f') + "\r\n\r\n"),
            "431 too many fields: Host");
}

TEST(RequestParser, LooksAtNothingBehindTheHead) {
  const std::string head = "GET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(request_outcome(head + std::string("\0\n\r garbage", 11)),
            "GET / origin path=/ query= at= 1.0 +11");
}

TEST(RequestParser, ReusesAHead) {
  http::RequestHead head;
  const std::string first =
      "POST http://b/p?q HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
  ASSERT_TRUE(http::RequestParser(head).parse(proto::as_bytes(first)));
  const std::string second = "OPTIONS * HTTP/1.1\r\nHost: c\r\n\r\n";
  ASSERT_TRUE(http::RequestParser(head).parse(proto::as_bytes(second)));
  EXPECT_EQ(http_test::text_of(head, proto::as_bytes(second)),
            "OPTIONS * asterisk path=* query= at=c 1.1 [Host=c] +0");
}

TEST(RequestParser, KnowsMethodsByTheirCase) {
  EXPECT_EQ(http::method_of("GET"), http::Method::kGet);
  EXPECT_EQ(http::method_of("CONNECT"), http::Method::kConnect);
  EXPECT_EQ(http::method_of("PATCH"), http::Method::kPatch);
  EXPECT_EQ(http::method_of("get"), http::Method::kOther);
  EXPECT_EQ(http::method_of("GETS"), http::Method::kOther);
  EXPECT_EQ(http::method_of(""), http::Method::kOther);
}

}  // namespace
