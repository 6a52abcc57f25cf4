// Where bodies end: RFC 9112 section 6.3, case by case, and the decoder for each framing.
#include "proto/http/body.hh"

#include <gtest/gtest.h>

#include <string>

#include "tests/proto/every_split.hh"

namespace {

using http::BodyFraming;
using http::Framing;
using http::Method;

constexpr BodyFraming kNone{Framing::kNone, 0};
constexpr BodyFraming kChunked{Framing::kChunked, 0};
constexpr BodyFraming kUntilClose{Framing::kUntilClose, 0};

TEST(BodyFraming, OfRequests) {
  const auto framing = [](const std::string& fields) {
    http::RequestHead head;
    const std::string text = "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    EXPECT_TRUE(http::RequestParser(head).parse(proto::as_bytes(text)));
    return http::request_framing(head);
  };
  EXPECT_EQ(framing(""), kNone);
  EXPECT_EQ(framing("Content-Length: 0\r\n"), (BodyFraming{Framing::kLength, 0}));
  EXPECT_EQ(framing("Content-Length: 5\r\n"), (BodyFraming{Framing::kLength, 5}));
  EXPECT_EQ(framing("Transfer-Encoding: chunked\r\n"), kChunked);
}

TEST(BodyFraming, OfResponses) {
  const auto framing = [](Method method, const std::string& status, const std::string& fields) {
    http::ResponseHead head;
    const std::string text = "HTTP/1.1 " + status + " X\r\n" + fields + "\r\n";
    EXPECT_TRUE(http::ResponseParser(head).parse(proto::as_bytes(text)));
    return http::response_framing(method, head);
  };
  const std::string length = "Content-Length: 5\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  for (const std::string& fields : {std::string(), length, chunked}) {
    EXPECT_EQ(framing(Method::kHead, "200", fields), kNone) << fields;
    EXPECT_EQ(framing(Method::kHead, "404", fields), kNone) << fields;
    EXPECT_EQ(framing(Method::kGet, "100", fields), kNone) << fields;
    EXPECT_EQ(framing(Method::kGet, "101", fields), kNone) << fields;
    EXPECT_EQ(framing(Method::kGet, "204", fields), kNone) << fields;
    EXPECT_EQ(framing(Method::kGet, "304", fields), kNone) << fields;
    EXPECT_EQ(framing(Method::kConnect, "200", fields), kNone) << fields;
  }
  EXPECT_EQ(framing(Method::kGet, "200", length), (BodyFraming{Framing::kLength, 5}));
  EXPECT_EQ(framing(Method::kConnect, "407", length), (BodyFraming{Framing::kLength, 5}));
  EXPECT_EQ(framing(Method::kOther, "500", chunked), kChunked);
  EXPECT_EQ(framing(Method::kGet, "200", ""), kUntilClose);
  EXPECT_EQ(framing(Method::kConnect, "300", ""), kUntilClose);
}

// The payload and the trailers of all parts; and what is left when the body has ended.
struct Decoded {
  explicit Decoded(BodyFraming framing) : body(framing) {}

  void take(proto::Bytes bytes) {
    while (!bytes.empty() && !body.done()) {
      const auto piece = body.next(bytes);
      ASSERT_TRUE(piece);
      ASSERT_GT(piece->consumed, 0u);
      payload += proto::as_text(piece->payload);
      trailers += proto::as_text(piece->trailers);
      bytes = bytes.subspan(piece->consumed);
    }
    left_over += proto::as_text(bytes);
  }

  http::BodyDecoder body;
  std::string payload;
  std::string trailers;
  std::string left_over;
};

TEST(BodyDecoder, EndsWhereTheFramingSays) {
  const struct {
    const char* name;
    BodyFraming framing;
    std::string input;
    std::string payload;
    std::string left_over;
    bool done;
    bool complete_at_end_of_stream;
  } cases[] = {
      {"none", kNone, "next", "", "next", true, true},
      {"length 0", {Framing::kLength, 0}, "next", "", "next", true, true},
      {"length", {Framing::kLength, 3}, "abcnext", "abc", "next", true, true},
      {"length to come", {Framing::kLength, 4}, "abc", "abc", "", false, false},
      {"longest", {Framing::kLength, INT64_MAX}, "abc", "abc", "", false, false},
      {"chunked", kChunked, "3\r\nabc\r\n0\r\n\r\nnext", "abc", "next", true, true},
      {"chunked to come", kChunked, "3\r\nabc\r\n0\r\n\r", "abc", "", false, false},
      {"until close", kUntilClose, "abc", "abc", "", false, true},
  };
  for (const auto& each : cases) {
    for_every_split(proto::as_bytes(each.input), [&](proto::Bytes first, proto::Bytes second) {
      Decoded decoded(each.framing);
      decoded.take(first);
      decoded.take(second);
      EXPECT_EQ(decoded.payload, each.payload) << each.name;
      EXPECT_EQ(decoded.left_over, each.left_over) << each.name;
      EXPECT_EQ(decoded.body.done(), each.done) << each.name;
      EXPECT_EQ(decoded.body.complete_at_end_of_stream(), each.complete_at_end_of_stream)
          << each.name;
    });
  }
}

TEST(BodyDecoder, PassesTrailersOn) {
  const std::string_view input = "1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\nnext";
  for_every_split(proto::as_bytes(input), [](proto::Bytes first, proto::Bytes second) {
    Decoded decoded(kChunked);
    decoded.take(first);
    decoded.take(second);
    EXPECT_EQ(decoded.payload, "a");
    EXPECT_EQ(decoded.trailers, "A: b\r\nC: d\r\n");
    EXPECT_EQ(decoded.left_over, "next");
  });
}

TEST(BodyDecoder, TellsHowMuchOfALengthIsToCome) {
  http::BodyDecoder body({Framing::kLength, 5});
  EXPECT_EQ(body.remaining(), 5u);
  ASSERT_TRUE(body.next(proto::as_bytes("abc")));
  EXPECT_EQ(body.remaining(), 2u);
  ASSERT_TRUE(body.next(proto::as_bytes("denext")));
  EXPECT_EQ(body.remaining(), 0u);

  for (const Framing kind : {Framing::kNone, Framing::kChunked, Framing::kUntilClose}) {
    EXPECT_EQ(http::BodyDecoder({kind, 5}).remaining(), 0u);
  }
  http::BodyDecoder chunked(kChunked);
  ASSERT_TRUE(chunked.next(proto::as_bytes("5\r\nab")));
  EXPECT_EQ(chunked.remaining(), 0u);
}

TEST(BodyDecoder, PassesAnErrorOn) {
  http::BodyDecoder body(kChunked);
  const auto piece = body.next(proto::as_bytes("x"));
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().reason, "chunk without a size");
  EXPECT_FALSE(body.complete_at_end_of_stream());
}

}  // namespace
