// SHA-256 against FIPS 180-4's own examples, whatever the pieces.
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

}  // namespace
}  // namespace proto
