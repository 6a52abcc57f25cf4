// Where blocks of PEM text begin and end.
#include "proto/tls/pem.hh"

#include <gmock/gmock.h>

namespace tls::test {
namespace {

using testing::IsEmpty;

TEST(Pem, IsBlocksWithWhateverBetween) {
  const std::string text =
      "note\n-----BEGIN A-----\nx\n-----END A-----\n-----BEGIN B KEY-----\ny\n"
      "-----BEGIN A-----\nz\n-----END A-----";
  const std::vector<PemBlock> blocks = pem_blocks(text);
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0].label, "A");
  EXPECT_EQ(blocks[0].text, "-----BEGIN A-----\nx\n-----END A-----");
  EXPECT_TRUE(blocks[0].whole);
  EXPECT_EQ(blocks[1].label, "B KEY");
  EXPECT_FALSE(blocks[1].whole);
  EXPECT_TRUE(blocks[2].whole);
  EXPECT_THAT(pem_blocks("-----BEGIN "), IsEmpty());
  EXPECT_THAT(pem_blocks("-----BEGIN A\nB-----"), IsEmpty());
  EXPECT_THAT(pem_blocks("-----END A-----"), IsEmpty());
}

TEST(Pem, BeginsOnALineOfItsOwn) {
  const std::string block = "-----BEGIN A-----\nx\n-----END A-----";
  for (const std::string_view before :
       {"", "\n", " \t", "note\r\n", "\xEF\xBB\xBF", "note\n\xEF\xBB\xBF",
        "# behind -----BEGIN A----- follows\n", "-----BEGIN B-----\n-----END B-----",
        "-----BEGIN B-----\n-----END B----- "}) {
    SCOPED_TRACE(before);
    const std::string text = std::string(before) + block;
    const std::vector<PemBlock> blocks = pem_blocks(text);
    ASSERT_FALSE(blocks.empty());
    EXPECT_EQ(blocks.back().text, block);
    EXPECT_TRUE(blocks.back().whole);
    EXPECT_TRUE(blocks.front().whole);
  }
  EXPECT_THAT(pem_blocks("x " + block), IsEmpty());
}

}  // namespace
}  // namespace tls::test
