// The server name out of a ClientHello: every split, every fragmentation, and what is none.
#include "proto/tls/hello.hh"

#include "tests/proto/tls/peers.hh"

namespace tls::test {
namespace {

std::string number(std::size_t value, std::size_t width) {
  std::string bytes;
  while (width-- > 0) bytes += static_cast<char>(value >> 8 * width);
  return bytes;
}

std::string vector(std::size_t width, const std::string& body) {
  return number(body.size(), width) + body;
}

std::string message_with(const std::string& extensions) {
  return "\x01" +
         vector(3, "\x03\x03" + std::string(32, 'r') + vector(1, "") + vector(2, "\x13\x01") +
                       vector(1, std::string(1, '\0')) + extensions);
}

std::string server_name(const std::string& name) {
  return number(0, 2) + vector(2, vector(2, number(0, 1) + vector(2, name)));
}

// Cut into records of at most `size` bytes.
std::string in_records(std::string message, std::size_t size = 16384) {
  std::string records;
  while (!message.empty()) {
    const std::string part = message.substr(0, size);
    message.erase(0, part.size());
    records += "\x16\x03\x01" + vector(2, part);
  }
  return records;
}

const std::string kOther = number(0x2b, 2) + vector(2, "\x02\x03\x04");
const std::string kHello = message_with(vector(2, kOther + server_name("one.test") + kOther));

TEST(HelloScanner, ReadsTheNameFromEveryFragmentation) {
  for (std::size_t size = 1; size <= kHello.size(); ++size) {
    const std::string records = in_records(kHello, size);
    HelloScanner scanner;
    for (std::size_t there = 0; there < records.size(); ++there) {
      ASSERT_FALSE(scanner.scan(proto::as_bytes(records).first(there))) << size << " " << there;
    }
    ASSERT_TRUE(scanner.scan(proto::as_bytes(records)));
    ASSERT_EQ(scanner.server_name(proto::as_bytes(records)), "one.test");
    const std::string more = records + "more";
    HelloScanner at_once;
    ASSERT_TRUE(at_once.scan(proto::as_bytes(more)));
    ASSERT_EQ(at_once.server_name(proto::as_bytes(more)), "one.test");
  }
}

TEST(HelloScanner, TakesTwoPiecesSplitAnywhere) {
  const std::string records = in_records(kHello, 40);
  for (std::size_t split = 0; split < records.size(); ++split) {
    HelloScanner scanner;
    ASSERT_FALSE(scanner.scan(proto::as_bytes(records).first(split)));
    ASSERT_TRUE(scanner.scan(proto::as_bytes(records)));
    ASSERT_EQ(scanner.server_name(proto::as_bytes(records)), "one.test");
  }
}

TEST(HelloScanner, FindsNoNameWhereThereIsNone) {
  const std::string wrong_type = number(0, 2) + vector(2, vector(2, number(7, 1) + vector(2, "x")));
  const struct {
    const char* name;
    std::string bytes;
  } cases[] = {
      {"no extensions", in_records(message_with(""))},
      {"empty extensions", in_records(message_with(vector(2, "")))},
      {"others only", in_records(message_with(vector(2, kOther + kOther)))},
      {"an empty extension", in_records(message_with(vector(2, number(0, 4))))},
      {"an empty name", in_records(message_with(vector(2, server_name(""))))},
      {"another type of name", in_records(message_with(vector(2, wrong_type)))},
      {"extensions past the end", in_records(message_with(number(500, 2) + kOther))},
      {"a name past the end",
       in_records(message_with(vector(2, number(0, 2) + vector(2, number(900, 2) + "a"))))},
      {"an empty hello", in_records("\x01" + number(0, 3))},
      {"a cut random", in_records("\x01" + vector(3, "\x03\x03rrr"))},
      {"an alert", "\x15"},
      {"version 2", std::string("\x80\x2e\x01")},
      {"another major version", "\x16\x04"},
      {"an empty record", "\x16\x03\x01" + number(0, 2)},
      {"a long record", "\x16\x03\x01" + number(16385, 2)},
      {"another message", in_records("\x02")},
      {"a long hello", in_records("\x01" + number(16381, 3))},
      {"another record in between", in_records(kHello.substr(0, 50)) + "\x14"},
  };
  for (const auto& each : cases) {
    HelloScanner scanner;
    EXPECT_TRUE(scanner.scan(proto::as_bytes(each.bytes))) << each.name;
    EXPECT_EQ(scanner.server_name(proto::as_bytes(each.bytes)), "") << each.name;
  }
}

TEST(HelloScanner, SurvivesEveryChangeOfAByte) {
  const std::string records = in_records(kHello, 60);
  for (std::size_t at = 0; at < records.size(); ++at) {
    for (const int change : {0x01, 0x7f, 0x80, 0xff}) {
      std::string spoilt = records;
      spoilt[at] = static_cast<char>(spoilt[at] ^ change);
      HelloScanner scanner;
      const std::vector<char> exact(spoilt.begin(), spoilt.end());  // for the sanitizer
      const proto::Bytes bytes = std::as_bytes(std::span(exact));
      if (!scanner.scan(bytes)) continue;
      EXPECT_LE(scanner.server_name(bytes).size(), spoilt.size());
    }
  }
}

TEST(HelloScanner, WaitsForNoMoreThanOneFullRecord) {
  const std::string endless = in_records("\x01" + number(16380, 3) + std::string(16379, 'x'), 1);
  HelloScanner scanner;
  EXPECT_FALSE(scanner.scan(proto::as_bytes(endless).first(HelloScanner::kSizeMax - 1)));
  EXPECT_TRUE(scanner.scan(proto::as_bytes(endless).first(HelloScanner::kSizeMax)));
  const std::string longest = in_records(message_with(
      vector(2, server_name("one.test") + number(21, 2) + vector(2, std::string(16316, 'p')))));
  ASSERT_EQ(longest.size(), HelloScanner::kSizeMax);
  HelloScanner other;
  EXPECT_FALSE(other.scan(proto::as_bytes(longest).first(longest.size() - 1)));
  EXPECT_TRUE(other.scan(proto::as_bytes(longest)));
  EXPECT_EQ(other.server_name(proto::as_bytes(longest)), "one.test");
}

}  // namespace
}  // namespace tls::test
