// Status lines, and that whatever is wrong with a response is a 502.
#include "proto/http/response.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proto/http/cases.hh"

namespace {

using http_test::Case;
using http_test::response_outcome;

void expect_all(const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    EXPECT_EQ(response_outcome(each.input), each.expected) << each.name;
  }
}

TEST(ResponseParser, ReadsCompleteHeads) {
  expect_all({
      {"smallest", "HTTP/1.1 200 OK\r\n\r\n", "200 'OK' 1.1 +0"},
      {"body behind", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
       "404 'Not Found' 1.1 length=2 [Content-Length=2] +2"},
      {"no phrase", "HTTP/1.1 200 \r\n\r\n", "200 '' 1.1 +0"},
      {"no space either", "HTTP/1.0 200\r\n\r\n", "200 '' 1.0 +0"},
      {"bytes from 0x80 in the phrase", "HTTP/1.1 200 \xe9t\xe9\r\n\r\n", "200 '\xe9t\xe9' 1.1 +0"},
      {"tab in the phrase", "HTTP/1.1 200 a\tb\r\n\r\n", "200 'a\tb' 1.1 +0"},
      {"lowest", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "100 'Continue' 1.1 +19"},
      {"no known class", "HTTP/1.1 600 ?\r\n\r\n", "600 '?' 1.1 +0"},
      {"highest", "HTTP/1.1 999 ?\r\n\r\n", "999 '?' 1.1 +0"},
      {"two Host fields mean nothing", "HTTP/1.1 200 OK\r\nHost: a\r\nHost: ?\r\n\r\n",
       "200 'OK' 1.1 [Host=a] [Host=?] +0"},
      {"upgrade", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n\x81",
       "101 'Switching Protocols' 1.1 upgrade [Connection=upgrade] +1"},
  });
}

TEST(ResponseParser, RefusesStatusLines) {
  const std::string version = "502 not an HTTP/1 response";
  const std::string line = "502 malformed status line";
  const std::string status = "502 malformed status";
  const std::string range = "502 status out of range";
  expect_all({
      {"HTTP/0.9 garbage at once", "<html>", version},
      {"garbage that begins well", "HTTX", version},
      {"empty line first", "\r\nHTTP/1.1 200 OK\r\n", version},
      {"lower case", "http/1.1 200 OK\r\n", version},
      {"HTTP/2.0", "HTTP/2.0 200 OK\r\n", version},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\n", line},
      {"two digits of version", "HTTP/1.11 200 OK\r\n", line},
      {"no status", "HTTP/1.1\r\n", line},
      {"space alone", "HTTP/1.1 \r\n", line},
      {"two digits", "HTTP/1.1 20\r\n", line},
      {"two digits and a phrase", "HTTP/1.1 20 OK\r\n", status},
      {"two spaces", "HTTP/1.1  200 OK\r\n", status},
      {"four digits", "HTTP/1.1 2000 OK\r\n", status},
      {"letter", "HTTP/1.1 2x0 OK\r\n", status},
      {"tab", "HTTP/1.1 200\tOK\r\n", status},
      {"099", "HTTP/1.1 099 OK\r\n", range},
      {"control byte in the phrase", "HTTP/1.1 200 a\x01\r\n", "502 control byte in the head"},
      {"bare LF", "HTTP/1.1 200 OK\n", "502 line feed without a carriage return"},
  });
}

// RFC 9110 section 8.6.
TEST(ResponseParser, TakesEqualLengthsForOne) {
  const auto outcome = [](const std::string& fields) {
    return response_outcome("HTTP/1.1 200 OK\r\n" + fields + "\r\n");
  };
  const std::string malformed = "502 malformed Content-Length";
  const std::string repeated = "502 more than one Content-Length";
  const std::string empty = "502 empty Content-Length";
  EXPECT_EQ(outcome("Content-Length: 5\r\ncontent-length: 5\r\n"),
            "200 'OK' 1.1 length=5 [Content-Length=5] [content-length=5] +0");
  EXPECT_EQ(outcome("Content-Length: 5, 05 ,5\r\n"),
            "200 'OK' 1.1 length=5 [Content-Length=5, 05 ,5] +0");
  EXPECT_EQ(outcome("Content-Length: 5\r\nContent-Length: 6\r\n"), repeated);
  EXPECT_EQ(outcome("Content-Length: 5, 6\r\n"), repeated);
  EXPECT_EQ(outcome("Content-Length: 5,\r\n"), empty);
  EXPECT_EQ(outcome("Content-Length: ,5\r\n"), empty);
  EXPECT_EQ(outcome("Content-Length: 5; 5\r\n"), malformed);
  EXPECT_EQ(outcome("Content-Length: 5, 5\r\nTransfer-Encoding: chunked\r\n"),
            "502 both Content-Length and Transfer-Encoding");
}

TEST(ResponseParser, WaitsForTheRest) {
  expect_all({
      {"nothing", "", "more"},
      {"part of a version", "HTTP/", "more"},
      {"no empty line", "HTTP/1.1 200 OK\r\nA: b\r\n", "more"},
  });
}

TEST(ResponseParser, BoundsTheHead) {
  const http::HeadLimits limits{.head_bytes = 100};
  const std::string begin = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(response_outcome(begin + "Set-Cookie: " + std::string(100, 'x'), limits),
            "502 response head too large: Set-Cookie");
  EXPECT_EQ(response_outcome("HTTP/1.1 200 " + std::string(100, 'x'), limits),
            "502 response head too large");
  std::string many = begin;
  for (std::size_t field = 0; field <= http::HeadLimits{}.fields; ++field) many += "A: b\r\n";
  EXPECT_EQ(response_outcome(many), "502 too many fields: A");
}

}  // namespace
