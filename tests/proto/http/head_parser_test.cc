// What requests and responses share: field lines, and the fields that frame a body. The cases run
// as requests; of a response the same faults are 502.
#include "proto/http/head_parser.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proto/http/cases.hh"

namespace {

using http_test::Case;
using http_test::request_outcome;
using http_test::response_outcome;

// Each case's input is the field lines behind Host.
void expect_all(const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    const std::string fields = each.input + "\r\n";
    EXPECT_EQ(request_outcome("PUT / HTTP/1.1\r\nHost: a\r\n" + fields), each.expected)
        << each.name;
    const std::string of_response = "502" + each.expected.substr(3);
    EXPECT_EQ(response_outcome("HTTP/1.1 200 OK\r\nHost: a\r\n" + fields), of_response)
        << each.name;
  }
}

TEST(HeadParser, RefusesBadLineEnds) {
  const std::string bare_lf = "400 line feed without a carriage return";
  const std::string bare_cr = "400 carriage return without a line feed";
  expect_all({
      {"bare LF", "A: b\n", bare_lf},
      {"bare LF for the empty line", "A: b\r\n\n", bare_lf},
      {"bare CR in a value", "A: b\rc\r\n", bare_cr},
      {"bare CR in a name", "A\rB: c\r\n", bare_cr},
      {"two CR", "A: b\r\r\n", bare_cr},
  });
  EXPECT_EQ(request_outcome("GET / HTTP/1.1\nHost: a\n\n"), bare_lf);
  EXPECT_EQ(request_outcome("\nGET / HTTP/1.1\r\n"), bare_lf);
  EXPECT_EQ(request_outcome("\rGET / HTTP/1.1\r\n"), bare_cr);
}

TEST(HeadParser, RefusesControlBytes) {
  const std::string expected = "400 control byte in the head";
  for (int byte = 0; byte < 0x20; ++byte) {
    if (byte == '\t' || byte == '\r' || byte == '\n') continue;
    expect_all({{"in a value", std::string("A: b") + static_cast<char>(byte) + "c\r\n", expected}});
  }
  expect_all({
      {"delete in a value", "A: b\x7f\r\n", expected},
      {"NUL in a name", std::string("A\0: b\r\n", 7), expected},
      {"far behind", "A: " + std::string(50, 'b') + "\x01" + std::string(50, 'b') + "\r\n",
       expected},
  });
}

TEST(HeadParser, RefusesFieldLines) {
  const std::string folded = "400 folded field line";
  const std::string whitespace = "400 whitespace in a field name";
  const std::string invalid = "400 invalid byte in a field name";
  const std::string colon = "400 field line without a colon";
  expect_all({
      {"folded by a space", "A: b\r\n c\r\n", folded},
      {"folded by a tab", "A: b\r\n\tc\r\n", folded},
      {"whitespace alone", " \r\n", folded},
      {"space before the colon", "A : b\r\n", whitespace},
      {"tab before the colon", "A\t: b\r\n", whitespace},
      {"space in the name", "A B: c\r\n", whitespace},
      {"no colon", "Abc\r\n", colon},
      {"empty name", ": b\r\n", "400 empty field name"},
      {"byte from 0x80", "\xc3\xa9: b\r\n", invalid},
      {"quote", "A\"B: c\r\n", invalid},
      {"slash in a long name", "A-Name-Longer-Than-A-Lane/B: c\r\n", invalid},
      {"parenthesis", "A(: c\r\n", invalid},
  });
  EXPECT_EQ(request_outcome("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), folded);
}

TEST(HeadParser, RefusesContentLengths) {
  const std::string malformed = "400 malformed Content-Length";
  const std::string repeated = "400 more than one Content-Length";
  const std::string range = "400 Content-Length out of range";
  expect_all({
      {"empty", "Content-Length:\r\n", "400 empty Content-Length"},
      {"blank", "Content-Length:  \t\r\n", "400 empty Content-Length"},
      {"plus", "Content-Length: +5\r\n", malformed},
      {"minus", "Content-Length: -5\r\n", malformed},
      {"hexadecimal", "Content-Length: 0x5\r\n", malformed},
      {"behind", "Content-Length: 5 5\r\n", malformed},
      {"fraction", "Content-Length: 5.0\r\n", malformed},
      {"wide digit", "Content-Length: \xd9\xa5\r\n", malformed},
      {"twice", "Content-Length: 5\r\nA: b\r\nContent-Length: 6\r\n", repeated},
      {"2^63", "Content-Length: 9223372036854775808\r\n", range},
      {"2^64 + 5", "Content-Length: 18446744073709551621\r\n", range},
      {"very long", "Content-Length: " + std::string(100, '9') + "\r\n", range},
  });
}

// Of a response these are one: RFC 9110 section 8.6.
TEST(HeadParser, RefusesEqualContentLengthsOfARequest) {
  const auto outcome = [](const std::string& fields) {
    return request_outcome("PUT / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  };
  EXPECT_EQ(outcome("Content-Length: 5, 5\r\n"), "400 malformed Content-Length");
  EXPECT_EQ(outcome("Content-Length: 5,5\r\n"), "400 malformed Content-Length");
  EXPECT_EQ(outcome("Content-Length: 5,\r\n"), "400 malformed Content-Length");
  EXPECT_EQ(outcome("Content-Length: 5\r\ncontent-length: 5\r\n"),
            "400 more than one Content-Length");
}

TEST(HeadParser, TakesTheLargestContentLength) {
  const std::string head =
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n";
  EXPECT_EQ(request_outcome(head),
            "PUT / origin path=/ query= at=a 1.1 length=9223372036854775807 [Host=a] "
            "[Content-Length=9223372036854775807] +0");
}

TEST(HeadParser, RefusesTransferEncodings) {
  const std::string malformed = "400 malformed Transfer-Encoding";
  const std::string not_final = "400 chunked is not the final transfer coding, or is repeated";
  const std::string unknown = "501 unknown transfer coding";
  expect_all({
      {"empty", "Transfer-Encoding:\r\n", malformed},
      {"empty element first", "Transfer-Encoding: , chunked\r\n", malformed},
      {"empty element last", "Transfer-Encoding: chunked,\r\n", not_final},
      {"no space behind an empty element", "Transfer-Encoding: ,chunked\r\n", malformed},
      {"prefix", "Transfer-Encoding: xchunked\r\n", malformed},
      {"prefix and hyphen", "Transfer-Encoding: x-chunked\r\n", malformed},
      {"suffix", "Transfer-Encoding: chunkedx\r\n", malformed},
      {"quoted", "Transfer-Encoding: \"chunked\"\r\n", malformed},
      {"parameter", "Transfer-Encoding: chunked;q=1\r\n", malformed},
      {"two words", "Transfer-Encoding: chunked chunked\r\n", malformed},
      {"repeated", "Transfer-Encoding: chunked, chunked\r\n", not_final},
      {"repeated field", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", not_final},
      {"not final", "Transfer-Encoding: chunked, gzip\r\n", not_final},
      {"identity behind", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
       not_final},
      {"other", "Transfer-Encoding: gzip\r\n", unknown},
      {"other first", "Transfer-Encoding: gzip, chunked\r\n", unknown},
      {"other field first", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", unknown},
      {"identity", "Transfer-Encoding: identity\r\n", unknown},
      {"with a length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
       "400 both Content-Length and Transfer-Encoding"},
      {"space before the colon", "Transfer-Encoding : chunked\r\n",
       "400 whitespace in a field name"},
      {"vertical tab", "Transfer-Encoding: chunked\v\r\n", "400 control byte in the head"},
      {"folded", "Transfer-Encoding:\r\n chunked\r\n", malformed},
      {"behind a length", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
       "400 both Content-Length and Transfer-Encoding"},
  });
}

TEST(HeadParser, RefusesTransferEncodingOfHttp10) {
  EXPECT_EQ(request_outcome("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "400 Transfer-Encoding with HTTP/1.0");
  EXPECT_EQ(response_outcome("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "502 Transfer-Encoding with HTTP/1.0");
}

TEST(HeadParser, TakesContentLengths) {
  for (const std::string value : {"5", " 5", "5 ", "\t5\t", "005"}) {
    const std::string outcome =
        request_outcome("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length:" + value + "\r\n\r\n");
    EXPECT_NE(outcome.find(" length=5 "), std::string::npos) << value << ": " << outcome;
  }
}

TEST(HeadParser, TakesChunkedInAnyCaseAndWithSpaceAround) {
  for (const std::string value : {"chunked", "CHUNKED", " chunked ", "\tchunked \t"}) {
    const std::string outcome =
        request_outcome("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:" + value + "\r\n\r\n");
    EXPECT_NE(outcome.find(" chunked "), std::string::npos) << value << ": " << outcome;
  }
}

TEST(HeadParser, BoundsTheNumberOfFields) {
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n";
  const std::string response = "HTTP/1.1 200 OK\r\nHost: a\r\nB: c\r\n";
  const http::HeadLimits two{.fields = 2};
  EXPECT_TRUE(request_outcome(request + "\r\n", two).ends_with("[B=c] +0"));
  EXPECT_TRUE(response_outcome(response + "\r\n", two).ends_with("[B=c] +0"));
  EXPECT_EQ(request_outcome(request + "D: ef\r\n\r\n", two), "431 too many fields: Host");
  EXPECT_EQ(response_outcome(response + "D: ef\r\n\r\n", two), "502 too many fields: Host");

  std::string most = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t field = 1; field < http::HeadLimits{}.fields; ++field) most += "B: c\r\n";
  EXPECT_TRUE(request_outcome(most + "\r\n").starts_with("GET / origin"));
  EXPECT_EQ(request_outcome(most + "B: c\r\n\r\n"), "431 too many fields: Host");
}

TEST(HeadParser, ReadsTheTimeoutOfKeepAlive) {
  const auto seconds = [](const std::string& fields) {
    http::ResponseHead head;
    const std::string text = "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
    EXPECT_TRUE(http::ResponseParser(head).parse(proto::as_bytes(text))) << text;
    return head.keep_alive_seconds;
  };
  using Seconds = std::optional<std::uint32_t>;
  EXPECT_EQ(seconds("Keep-Alive: timeout=5\r\n"), Seconds(5));
  EXPECT_EQ(seconds("keep-alive: max=100 , Timeout = 60\r\n"), Seconds(60));
  EXPECT_EQ(seconds("Keep-Alive: timeout=0\r\n"), Seconds(0));
  EXPECT_EQ(seconds("Keep-Alive: timeout=4294967295\r\n"), Seconds(4294967295));
  EXPECT_EQ(seconds("Keep-Alive: timeout=9, timeout=7\r\nKeep-Alive: timeout=8\r\n"), Seconds(7));
  EXPECT_EQ(seconds("Keep-Alive: timeout=x, timeout=7\r\n"), Seconds(7));
  for (const std::string value :
       {"", "5", "timeout", "timeout=", "timeout=-5", "timeout=+5", "timeout=5s", "timeout=5.5",
        "timeout=\"5\"", "timeout=4294967296", "xtimeout=5", "max=5", "timeout:5"}) {
    EXPECT_EQ(seconds("Keep-Alive: " + value + "\r\n"), Seconds()) << value;
  }
  EXPECT_EQ(seconds("X-Keep-Alive: timeout=5\r\n"), Seconds());

  http::ResponseHead reused;
  const std::string with = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\n\r\n";
  ASSERT_TRUE(http::ResponseParser(reused).parse(proto::as_bytes(with)));
  const std::string without = "HTTP/1.1 200 OK\r\n\r\n";
  ASSERT_TRUE(http::ResponseParser(reused).parse(proto::as_bytes(without)));
  EXPECT_EQ(reused.keep_alive_seconds, Seconds());
}

TEST(HeadParser, TellsWhetherTheConnectionIsKept) {
  const auto kept = [](const std::string& version, const std::string& fields) {
    http::RequestHead head;
    const std::string text = "GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n";
    EXPECT_TRUE(http::RequestParser(head).parse(proto::as_bytes(text))) << text;
    return http::keeps_alive(head);
  };
  EXPECT_TRUE(kept("1.1", ""));
  EXPECT_TRUE(kept("1.1", "Connection: x-close\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: CLOSE\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: a\r\nConnection: b , close\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: keep-alive, close\r\n"));
  EXPECT_FALSE(kept("1.0", ""));
  EXPECT_TRUE(kept("1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(kept("1.0", "Connection: keep-alive, close\r\n"));
}

}  // namespace
