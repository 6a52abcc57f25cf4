// What is a PROXY header, what it tells, and that nothing behind it is taken; each input in every
// split.
#include "proto/proxy/reader.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proto/every_split.hh"
#include "tests/proto/proxy/headers.hh"

namespace {

using namespace proxy_test;
using proxy::Endpoints;
using proxy::Family;
using proxy::HeaderReader;

struct Outcome {
  bool done = false;
  bool refused = false;
  std::size_t taken = 0;
  Endpoints endpoints;

  bool operator==(const Outcome&) const = default;
};

// As much of each part as it wants, until it wants no more.
Outcome read(const std::vector<proto::Bytes>& parts) {
  HeaderReader reader;
  Outcome outcome;
  for (const proto::Bytes part : parts) {
    const auto taken = reader.feed(part);
    if (!taken) {
      EXPECT_FALSE(taken.error().empty());
      EXPECT_FALSE(reader.feed(part).has_value()) << "what is refused stays so";
      return {.refused = true};
    }
    outcome.taken += *taken;
    if (*taken < part.size()) break;
  }
  outcome.done = reader.done();
  outcome.endpoints = reader.endpoints();
  return outcome;
}

Outcome read_in_every_way(std::string_view text) {
  const proto::Bytes whole = proto::as_bytes(text);
  const Outcome outcome = read({whole});
  for_every_split(whole, [&](proto::Bytes first, proto::Bytes second) {
    EXPECT_EQ(read({first, second}), outcome) << "split at " << first.size();
  });
  std::vector<std::vector<std::byte>> bytes;
  for_each_byte(whole, [&](proto::Bytes one) { bytes.emplace_back(one.begin(), one.end()); });
  EXPECT_EQ(read({bytes.begin(), bytes.end()}), outcome) << "one byte at a time";
  return outcome;
}

void expect_header(const std::string& header, const Endpoints& told) {
  for (const std::string behind : {"", "GET / HTTP/1.1\r\n\r\n", "PROXY UNKNOWN\r\n"}) {
    const Outcome outcome = read_in_every_way(header + behind);
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.taken, header.size()) << "nothing behind the header is taken";
    EXPECT_EQ(outcome.endpoints, told);
  }
  for (std::size_t size = 0; size < header.size(); ++size) {
    const Outcome part = read({proto::as_bytes(std::string_view(header).substr(0, size))});
    EXPECT_FALSE(part.done || part.refused) << size;
  }
}

TEST(ProxyHeader, OfVersionOneIsALine) {
  const Endpoints v4{.family = Family::kIpv4,
                     .source = {192, 0, 2, 7},
                     .destination = {198, 51, 100, 1},
                     .source_port = 56324,
                     .destination_port = 443};
  expect_header("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", v4);
  expect_header("PROXY TCP4 0.0.0.0 0.0.0.0 0 65535\r\n",
                {.family = Family::kIpv4, .destination_port = 65535});
  Endpoints v6{.family = Family::kIpv6, .source_port = 1, .destination_port = 2};
  v6.source = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  v6.destination.back() = 1;
  expect_header("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", v6);
}

TEST(ProxyHeader, MayTellNothing) {
  expect_header("PROXY UNKNOWN\r\n", {});
  expect_header("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", {});
  expect_header("PROXY UNKNOWN " + std::string(proxy::kLineBytesMax - 16, 'x') + "\r\n", {});
  expect_header(v2(0x20, 0x00, ""), {});
  expect_header(v2(0x20, 0x11, v4_block()), {});
  // Nothing of it means anything.
  expect_header(v2(0x20, 0x11, "junk"), {});
  expect_header(v2(0x20, 0x00, tlv(3, "wrong")), {});
  expect_header(v2(0x21, 0x00, ""), {});
  expect_header(v2(0x21, 0x00, tlv(5, "id")), {});
  // A datagram's is no stream's address.
  expect_header(v2(0x21, 0x12, v4_block()), {});
  expect_header(v2(0x21, 0x10, v4_block()), {});
}

TEST(ProxyHeader, OfVersionTwoHasAddresses) {
  const Endpoints v4{.family = Family::kIpv4,
                     .source = {192, 0, 2, 7},
                     .destination = {198, 51, 100, 1},
                     .source_port = 56324,
                     .destination_port = 443};
  expect_header(v2(0x21, 0x11, v4_block()), v4);
  Endpoints v6{.family = Family::kIpv6, .source_port = 0x0102, .destination_port = 0x0304};
  for (std::uint8_t at = 0; at < 16; ++at) {
    v6.source[at] = at;
    v6.destination[at] = static_cast<std::uint8_t>(at + 16);
  }
  std::string block;
  for (char c = 0; c < 32; ++c) block.push_back(c);
  expect_header(v2(0x21, 0x21, block + std::string("\1\2\3\4", 4)), v6);
  expect_header(v2(0x21, 0x31, std::string(216, 'u')), {.family = Family::kUnix});
}

TEST(ProxyHeader, SkipsTlvsByTheirLength) {
  const Endpoints v4 = read({proto::as_bytes(v2(0x21, 0x11, v4_block()))}).endpoints;
  ASSERT_EQ(v4.family, Family::kIpv4);
  const std::string long_one = tlv(0xee, std::string(3000, 'z'));
  for (const std::string& tlvs :
       {tlv(4, ""), tlv(2, "a.test") + tlv(5, "id"), tlv(0x20, tlv(0x21, "x")), long_one}) {
    expect_header(v2(0x21, 0x11, v4_block() + tlvs), v4);
  }
}

TEST(ProxyHeader, ChecksTheChecksumWhereItIsGiven) {
  const std::string good = with_crc(v2(0x21, 0x11, v4_block() + tlv(5, "id") + crc_tlv()));
  const Outcome outcome = read_in_every_way(good);
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.endpoints.source_port, 56324);
  // Behind another one, too.
  EXPECT_TRUE(
      read_in_every_way(with_crc(v2(0x21, 0x11, v4_block() + crc_tlv() + tlv(4, "pad")))).done);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const Outcome bad = read({proto::as_bytes(changed)});
    // LOCAL is not looked at, and another TLV is no checksum.
    const bool is_local = at == 12 && bad.endpoints == Endpoints();
    const bool is_another_tlv = at == good.size() - 7;
    EXPECT_EQ(bad.done, is_local || is_another_tlv) << "changed at " << at;
  }
  const std::string zero = v2(0x21, 0x11, v4_block() + crc_tlv());
  EXPECT_TRUE(read_in_every_way(zero).refused);
}

TEST(ProxyHeader, IsRefused) {
  struct Case {
    const char* name;
    std::string text;
  };
  const std::string line = "PROXY TCP4 1.2.3.4 5.6.7.8 ";
  const Case cases[] = {
      {"HTTP", "GET / HTTP/1.1\r\n"},
      {"TLS", "\x16\x03\x01"},
      {"lower case", "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n"},
      {"another word", "PROPFIND / HTTP/1.1\r\n"},
      {"UDP", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n"},
      {"no protocol", "PROXY \r\n"},
      {"another unknown", "PROXY UNKNOWNS\r\n"},
      {"two blanks", "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n"},
      {"three numbers", "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n"},
      {"an octal number", "PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n"},
      {"another family", "PROXY TCP4 ::1 ::1 1 2\r\n"},
      {"IPv4 as IPv6", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n"},
      {"a zone", "PROXY TCP6 fe80::1%lo ::1 1 2\r\n"},
      {"a zero byte", std::string("PROXY TCP4 1.2.3.4\0x 5.6.7.8 1 2\r\n", 35)},
      {"a port missing", line + "1\r\n"},
      {"no ports", "PROXY TCP4 1.2.3.4 5.6.7.8\r\n"},
      {"an empty port", line + "1 \r\n"},
      {"a large port", line + "1 65536\r\n"},
      {"a leading zero", line + "01 2\r\n"},
      {"a sign", line + "+1 2\r\n"},
      {"a blank at the end", line + "1 2 \r\n"},
      {"a line feed alone", line + "1 2\n"},
      {"a carriage return alone", line + "1 2\rX"},
      {"108 bytes", "PROXY UNKNOWN " + std::string(proxy::kLineBytesMax - 15, 'x') + "\r\n"},
      {"no end", "PROXY UNKNOWN " + std::string(200, 'x')},
      {"version 1 in binary", v2(0x11, 0x11, v4_block())},
      {"version 3", v2(0x31, 0x11, v4_block())},
      {"a command", v2(0x22, 0x11, v4_block())},
      {"a family", v2(0x21, 0x41, v4_block())},
      {"a protocol", v2(0x21, 0x13, v4_block())},
      {"too short for IPv4", v2(0x21, 0x11, v4_block().substr(1))},
      {"too short for IPv6", v2(0x21, 0x21, v4_block())},
      {"too short for Unix", v2(0x21, 0x31, std::string(215, 'u'))},
      {"65535 bytes", v2(0x21, 0x11, v4_block(), 65535)},
      {"65535 bytes of LOCAL", v2(0x20, 0x00, "", 65535)},
      {"4097 bytes", v2(0x21, 0x11, v4_block(), 4097)},
      {"a TLV's head cut", v2(0x21, 0x11, v4_block() + "\x05")},
      {"a TLV that reaches beyond", v2(0x21, 0x11, v4_block() + std::string("\5\0\3ab", 5))},
      {"two checksums", with_crc(v2(0x21, 0x11, v4_block() + crc_tlv() + crc_tlv()))},
      {"a checksum of two bytes", v2(0x21, 0x11, v4_block() + tlv(3, "ab"))},
      {"a wrong checksum of no address", v2(0x21, 0x00, tlv(3, "abcd"))},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    EXPECT_TRUE(read_in_every_way(one.text + std::string(64, ' ')).refused);
  }
}

TEST(ProxyHeader, OfTheGreatestLengthIsTaken) {
  const std::string most = v4_block() + tlv(0xee, std::string(4096 - 12 - 3, 'z'));
  const std::string header = v2(0x21, 0x11, most);
  const Outcome outcome = read({proto::as_bytes(header)});
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.taken, 16u + 4096u);
}

TEST(Crc32c, IsCastagnolis) {
  proxy::Crc32c crc;
  crc.add(proto::as_bytes("123456789"));
  EXPECT_EQ(crc.value(), 0xe3069283u);
}

}  // namespace
