// What is written is read back, and is what the document shows.
#include "proto/proxy/writer.hh"

#include <gtest/gtest.h>

#include <string>

#include "proto/proxy/reader.hh"
#include "tests/proto/proxy/headers.hh"

namespace {

using namespace proxy_test;
using proxy::Endpoints;
using proxy::Family;
using proxy::Version;

const Endpoints kV4{.family = Family::kIpv4,
                    .source = {192, 0, 2, 7},
                    .destination = {198, 51, 100, 1},
                    .source_port = 56324,
                    .destination_port = 443};

Endpoints v6() {
  Endpoints ends{.family = Family::kIpv6, .source_port = 1, .destination_port = 65535};
  ends.source.fill(0xff);
  ends.destination.back() = 1;
  return ends;
}

std::string written(Version version, const Endpoints& ends, const proxy::Details& details = {}) {
  std::string header = "before";
  write_header(header, version, ends, details);
  EXPECT_TRUE(header.starts_with("before"));
  return header.substr(6);
}

TEST(ProxyWriter, WritesLines) {
  EXPECT_EQ(written(Version::kV1, kV4), "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n");
  EXPECT_EQ(written(Version::kV1, v6()),
            "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ::1 1 65535\r\n");
  EXPECT_EQ(written(Version::kV1, {}), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(written(Version::kV1, {.family = Family::kUnix}), "PROXY UNKNOWN\r\n");
}

TEST(ProxyWriter, WritesVersionTwo) {
  EXPECT_EQ(written(Version::kV2, kV4), with_crc(v2(0x21, 0x11, v4_block() + crc_tlv())));
  EXPECT_EQ(written(Version::kV2, {}), with_crc(v2(0x21, 0x00, crc_tlv())));
  EXPECT_EQ(written(Version::kV2, {.family = Family::kUnix}), with_crc(v2(0x21, 0x00, crc_tlv())));
  EXPECT_EQ(
      written(Version::kV2, kV4,
              {.authority = "a.test", .protocol = "http/1.1", .unique_id = "17"}),
      with_crc(v2(0x21, 0x11,
                  v4_block() + tlv(1, "http/1.1") + tlv(2, "a.test") + tlv(5, "17") + crc_tlv())));
}

TEST(ProxyWriter, LeavesOutWhatIsTooLong) {
  const std::string name(256, 'n');
  EXPECT_EQ(written(Version::kV2, kV4, {.authority = name, .unique_id = name}),
            written(Version::kV2, kV4));
}

TEST(ProxyWriter, WritesOfItsOwn) {
  std::string line;
  write_local(line, Version::kV1);
  EXPECT_EQ(line, "PROXY UNKNOWN\r\n");
  std::string header;
  write_local(header, Version::kV2);
  EXPECT_EQ(header, with_crc(v2(0x20, 0x00, crc_tlv())));
}

TEST(ProxyWriter, IsReadBack) {
  for (const Version version : {Version::kV1, Version::kV2}) {
    for (const Endpoints& ends : {kV4, v6(), Endpoints()}) {
      const std::string header = written(version, ends, {.authority = "b.test"});
      proxy::HeaderReader reader;
      ASSERT_EQ(reader.feed(proto::as_bytes(header + "x")), header.size());
      EXPECT_TRUE(reader.done());
      EXPECT_EQ(reader.endpoints(), ends);
    }
  }
}

}  // namespace
