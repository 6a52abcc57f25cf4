// SHA-256 against FIPS 180-4's own examples, whatever the pieces; HMAC against RFC 4231's.
#include "proto/digest.hh"

#include <gtest/gtest.h>

#include <string>

namespace proto {
namespace {

std::string hex(const std::array<std::byte, 32>& digest) {
  std::string text;
  for (const std::byte byte : digest) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

constexpr std::string_view kEmpty =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kTwoBlocks =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";

TEST(Sha256, IsTheSameForEverySplit) {
  const std::string_view text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 digest;
    digest.update(as_bytes(text.substr(0, cut)));
    digest.update(as_bytes(text.substr(cut)));
    EXPECT_EQ(hex(digest.finish()), kTwoBlocks) << cut;
  }
}

TEST(Sha256, BeginsAnewAfterItsEnd) {
  Sha256 digest;
  EXPECT_EQ(hex(digest.finish()), kEmpty);
  digest.update(as_bytes("something"));
  EXPECT_NE(hex(digest.finish()), kEmpty);
  EXPECT_EQ(hex(digest.finish()), kEmpty);
}

// RFC 4231 section 4.3, and a key that is longer than a block (section 4.7).
TEST(HmacSha256, IsAsTheRfcHasIt) {
  EXPECT_EQ(hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(as_bytes(std::string(131, '\xaa')),
                            as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace proto
