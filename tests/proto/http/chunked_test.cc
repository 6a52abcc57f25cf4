// The chunked coding: every cut of each input comes to the same payload, trailers and end.
#include "proto/http/chunked.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/proto/every_split.hh"

namespace {

using Blanks = http::ChunkedDecoder::Blanks;

// What a decoder made of the parts it was fed.
class Decoding {
 public:
  explicit Decoding(Blanks blanks) : decoder_(blanks) {}

  void take(proto::Bytes bytes) {
    while (!bytes.empty() && !decoder_.done() && error_.empty()) {
      const auto piece = decoder_.next(bytes);
      if (!piece) {
        error_ = piece.error().reason;
        return;
      }
      ASSERT_GT(piece->consumed, 0u);
      ASSERT_TRUE(piece->payload.empty() || piece->trailers.empty());
      for (const proto::Bytes part : {piece->payload, piece->trailers}) {
        // It is a part of the caller's bytes, the last of those consumed.
        ASSERT_LE(part.size(), piece->consumed);
        if (part.empty()) continue;
        ASSERT_EQ(part.data() + part.size(), bytes.data() + piece->consumed);
      }
      payload_ += proto::as_text(piece->payload);
      trailers_ += proto::as_text(piece->trailers);
      bytes = bytes.subspan(piece->consumed);
    }
    left_over_ += bytes.size();
  }

  // "payload" and how it went on; an error's payload is what had been yielded before. How much of
  // a bad trailer section is yielded depends on the cuts, so it is left out.
  std::string outcome() const {
    if (!error_.empty()) return "'" + payload_ + "' " + error_;
    if (!decoder_.done()) return "'" + payload_ + "' more";
    EXPECT_EQ(std::ranges::count(trailers_, '\n'), decoder_.trailer_fields());
    return "'" + payload_ + "' done trailers=" + std::to_string(decoder_.trailer_fields()) + " +" +
           std::to_string(left_over_);
  }

  bool failed() const { return !error_.empty(); }
  const std::string& trailers() const { return trailers_; }

 private:
  http::ChunkedDecoder decoder_;
  std::string payload_;
  std::string trailers_;
  std::string error_;
  std::size_t left_over_ = 0;
};

// The decoding of the whole input, which every cut must agree with.
Decoding decoding_of(std::string_view input, Blanks blanks = Blanks::kRefused) {
  const proto::Bytes bytes = proto::as_bytes(input);
  Decoding whole(blanks);
  whole.take(bytes);
  const bool fails = whole.failed();
  constexpr std::size_t kEverySplitMax = 2048;
  if (input.size() <= kEverySplitMax) {
    for_every_split(bytes, [&](proto::Bytes first, proto::Bytes second) {
      Decoding split(blanks);
      split.take(first);
      split.take(second);
      EXPECT_EQ(split.outcome(), whole.outcome()) << "split at " << first.size();
      if (fails) return;
      EXPECT_EQ(split.trailers(), whole.trailers()) << "split at " << first.size();
    });
  }
  Decoding dripping(blanks);
  for_each_byte(bytes, [&](proto::Bytes byte) { dripping.take(byte); });
  EXPECT_EQ(dripping.outcome(), whole.outcome()) << "one byte at a time";
  if (!fails) {
    EXPECT_EQ(dripping.trailers(), whole.trailers()) << "one byte at a time";
  }
  return whole;
}

std::string outcome_of(std::string_view input, Blanks blanks = Blanks::kRefused) {
  return decoding_of(input, blanks).outcome();
}

struct Case {
  const char* name;
  std::string input;
  std::string expected;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& each : cases) EXPECT_EQ(outcome_of(each.input), each.expected) << each.name;
}

TEST(ChunkedDecoder, YieldsPayload) {
  expect_all({
      {"empty body", "0\r\n\r\n", "'' done trailers=0 +0"},
      {"one chunk", "3\r\nabc\r\n0\r\n\r\n", "'abc' done trailers=0 +0"},
      {"two chunks", "1\r\na\r\n00002\r\nbc\r\n0\r\n\r\n", "'abc' done trailers=0 +0"},
      {"hex digits of both cases", "a\r\n0123456789\r\nB\r\n0123456789a\r\n000\r\n\r\n",
       "'01234567890123456789a' done trailers=0 +0"},
      {"line ends as payload", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "'\r\n\r\n' done trailers=0 +0"},
      {"what is behind stays", "1\r\na\r\n0\r\n\r\nGET /", "'a' done trailers=0 +5"},
      {"extensions dropped", "1;a=b;c=\"d\"\r\nx\r\n0;e\r\n\r\n", "'x' done trailers=0 +0"},
      {"extension with bytes from 0x80", "1;\xc3\xa9\t\r\nx\r\n0\r\n\r\n",
       "'x' done trailers=0 +0"},
      {"trailers", "1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\n+", "'a' done trailers=2 +1"},
  });
}

TEST(ChunkedDecoder, YieldsTrailers) {
  const struct {
    const char* name;
    std::string_view input;
    std::string_view expected;
  } cases[] = {
      {"none", "1\r\na\r\n0\r\n\r\n", ""},
      {"one", "1\r\na\r\n0\r\nA: b\r\n\r\n", "A: b\r\n"},
      {"as they are", "0\r\nA-1:\t b  \r\nc:\r\nA-1: \xff\r\n\r\nNext: x\r\n",
       "A-1:\t b  \r\nc:\r\nA-1: \xff\r\n"},
      {"no extension", "0;e=1\r\nA: b\r\n\r\n", "A: b\r\n"},
      {"the last line to come", "0\r\nA: b\r\nCd: e", "A: b\r\nCd: e"},
      {"the empty line to come", "0\r\nA: b\r\n\r", "A: b\r\n"},
  };
  for (const auto& each : cases) {
    const Decoding decoding = decoding_of(each.input);
    EXPECT_FALSE(decoding.failed()) << each.name;
    EXPECT_EQ(decoding.trailers(), each.expected) << each.name;
  }
}

TEST(ChunkedDecoder, WaitsForTheRest) {
  expect_all({
      {"nothing", "", "'' more"},
      {"part of a size", "1", "'' more"},
      {"part of a chunk", "5\r\nab", "'ab' more"},
      {"the longest chunk", "7fffffffffffffff\r\nab", "'ab' more"},
      {"no last chunk", "1\r\na\r\n", "'a' more"},
      {"no end of the trailers", "1\r\na\r\n0\r\n", "'a' more"},
      {"part of a trailer", "0\r\nA: b\r\n", "'' more"},
  });
}

TEST(ChunkedDecoder, RefusesSizes) {
  const std::string none = "'' chunk without a size";
  const std::string byte = "'' invalid byte in a chunk size";
  const std::string range = "'' chunk size out of range";
  expect_all({
      {"empty", "\r\n", none},
      {"extension alone", ";a\r\n", none},
      {"sign", "+1\r\n", none},
      {"minus", "-1\r\n", none},
      {"space before", " 1\r\n", none},
      {"space behind", "1 \r\n", byte},
      {"prefix", "0x1\r\n", byte},
      {"not hex", "1g\r\n", byte},
      {"bare LF", "1\na", byte},
      {"bare CR", "1\ra", "'' chunk size not ended by CRLF"},
      {"2^63", "8000000000000000\r\n", range},
      {"2^64 - 1", "ffffffffffffffff\r\n", range},
      {"2^64", "10000000000000000\r\n", range},
      {"17 zeros", "00000000000000000\r\n", range},
  });
}

TEST(ChunkedDecoder, ReadsBlanksBehindSizesWhereItIsToldTo) {
  const auto read = [](std::string_view input) { return outcome_of(input, Blanks::kBehindSizes); };
  const std::string byte = "'' invalid byte in a chunk size";
  EXPECT_EQ(read("1 ;a=b\r\nx\r\n0\t \t; c\r\n\r\n"), "'x' done trailers=0 +0");
  EXPECT_EQ(read("1;a\r\nx\r\n0\r\n\r\n"), "'x' done trailers=0 +0");
  EXPECT_EQ(read("1  \r\nx\r\n0 \r\n\r\n"), "'x' done trailers=0 +0");
  EXPECT_EQ(read("1 2\r\n"), byte);
  EXPECT_EQ(read("1 \n"), byte);
  EXPECT_EQ(read(" 1\r\n"), "'' chunk without a size");
  EXPECT_EQ(read("1" + std::string(http::kChunkExtensionsBytesMax, ' ')), "'' more");
  EXPECT_EQ(read("1" + std::string(http::kChunkExtensionsBytesMax + 1, ' ')),
            "'' chunk extensions too large");
  EXPECT_EQ(outcome_of("1 ;a=b\r\n"), byte);
  EXPECT_EQ(outcome_of("1 \r\n"), byte);
}

TEST(ChunkedDecoder, RefusesChunkEnds) {
  const std::string expected = "'ab' chunk not ended by CRLF";
  expect_all({
      {"payload too long", "2\r\nabc\r\n", expected},
      {"bare LF", "2\r\nab\n0\r\n\r\n", expected},
      {"bare CR", "2\r\nab\r0\r\n\r\n", expected},
      {"nothing between", "2\r\nab0\r\n\r\n", expected},
  });
}

TEST(ChunkedDecoder, RefusesExtensions) {
  const std::string control = "'' control byte in a chunk extension";
  expect_all({
      {"NUL", std::string("1;a\0\r\n", 6), control},
      {"bare LF", "1;a\nx\r\n0\r\n\r\n", control},
      {"delete", "1;\x7f\r\n", control},
      {"bare CR", "1;a\rb\r\n", "'' chunk size not ended by CRLF"},
  });
}

TEST(ChunkedDecoder, RefusesTrailers) {
  const std::string name = "'' invalid byte in a trailer's name";
  expect_all({
      {"folded", "0\r\nA: b\r\n c\r\n\r\n", name},
      {"space before the colon", "0\r\nA : b\r\n\r\n", name},
      {"empty name", "0\r\n: b\r\n\r\n", name},
      {"no colon", "0\r\nAb\r\n\r\n", name},
      {"bare LF for the empty line", "0\r\n\n", name},
      {"bare LF", "0\r\nA: b\n\r\n", "'' control byte in a trailer"},
      {"NUL", std::string("0\r\nA: \0\r\n\r\n", 11), "'' control byte in a trailer"},
      {"bare CR", "0\r\nA: b\rc\r\n\r\n", "'' trailer not ended by CRLF"},
      {"bare CR at the end", "0\r\n\rx", "'' body not ended by CRLF"},
  });
}

TEST(ChunkedDecoder, BoundsExtensionsOfOneBody) {
  const std::string chunk = "1;" + std::string(1024, 'e') + "\r\nx\r\n";
  const std::size_t bound = http::kChunkExtensionsBytesMax / 1024;
  std::string body;
  for (std::size_t chunks = 0; chunks < bound; ++chunks) body += chunk;
  EXPECT_TRUE(outcome_of(body + "0\r\n\r\n").ends_with("done trailers=0 +0"));
  EXPECT_TRUE(outcome_of(body + chunk + "0\r\n\r\n").ends_with("chunk extensions too large"));
}

TEST(ChunkedDecoder, BoundsTrailers) {
  const std::size_t rest = std::string_view("A: \r\n\r\n").size();
  const auto of_size = [&](std::size_t bytes) {
    return "0\r\nA: " + std::string(bytes - rest, 'b') + "\r\n\r\n";
  };
  EXPECT_EQ(outcome_of(of_size(http::kTrailerBytesMax)), "'' done trailers=1 +0");
  EXPECT_EQ(outcome_of(of_size(http::kTrailerBytesMax + 1)), "'' trailers too large");

  std::string many = "0\r\n";
  for (int field = 0; field < http::kTrailerFieldsMax; ++field) many += "A:\r\n";
  EXPECT_EQ(outcome_of(many + "\r\n"), "'' done trailers=64 +0");
  EXPECT_EQ(outcome_of(many + "A:\r\n\r\n"), "'' too many trailers");
}

TEST(ChunkHeader, WritesTheShortestHexadecimalSize) {
  const auto text = [](std::uint64_t size) {
    const http::ChunkHeader header(size);
    return std::string(proto::as_text(header.bytes()));
  };
  EXPECT_EQ(text(1), "1\r\n");
  EXPECT_EQ(text(15), "f\r\n");
  EXPECT_EQ(text(16), "10\r\n");
  EXPECT_EQ(text(65536), "10000\r\n");
  EXPECT_EQ(text(UINT64_MAX), "ffffffffffffffff\r\n");
}

TEST(ChunkHeader, IsReadBack) {
  for (const std::size_t size : {1u, 125u, 126u, 4095u, 4096u, 65536u}) {
    const std::string payload(size, 'p');
    const http::ChunkHeader header(size);
    const std::string body = std::string(proto::as_text(header.bytes())) + payload +
                             std::string(http::kChunkEnd) + std::string(http::kLastChunk);
    EXPECT_EQ(outcome_of(body), "'" + payload + "' done trailers=0 +0");
  }
}

}  // namespace
