#include "gateway/admin/query.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::admin {
namespace {

TEST(AdminQuery, GivesEachValueOnce) {
  auto query = Query::parse("route=chat&idle=10m&flag&empty=&a%26b=c%3Dd+e&&");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->take("route"), "chat");
  EXPECT_EQ(query->take("route"), std::nullopt);
  EXPECT_EQ(query->take("flag"), "");
  EXPECT_EQ(query->take("empty"), "");
  EXPECT_EQ(query->take("a&b"), "c=d e");
  EXPECT_EQ(query->unknown(), "idle");
  EXPECT_EQ(query->take("idle"), "10m");
  EXPECT_TRUE(query->empty());
}

TEST(AdminQuery, RefusesWhatCanBeReadInTwoWays) {
  using testing::HasSubstr;
  EXPECT_THAT(Query::parse("a=1&a=2").error(), HasSubstr("'a' is given twice"));
  EXPECT_THAT(Query::parse("a=%4").error(), HasSubstr("RFC 3986"));
  EXPECT_THAT(Query::parse("a=%zz").error(), HasSubstr("RFC 3986"));
  EXPECT_THAT(Query::parse("%=1").error(), HasSubstr("RFC 3986"));
  std::string many;
  for (int number = 0; number <= 64; ++number) many += "n" + std::to_string(number) + "&";
  EXPECT_THAT(Query::parse(many).error(), HasSubstr("64 names"));
}

TEST(AdminQuery, TakesPercentEncodingBackEachByte) {
  for (int byte = 0; byte < 256; ++byte) {
    char text[4];
    std::snprintf(text, sizeof text, "%%%02X", byte);
    EXPECT_EQ(decode_percent(text, false), std::string(1, static_cast<char>(byte)));
  }
  EXPECT_EQ(decode_percent("a+b", false), "a+b");
  EXPECT_EQ(decode_percent("a+b", true), "a b");
  EXPECT_EQ(decode_percent("%", false), std::nullopt);
  EXPECT_EQ(decode_percent("%-1", false), std::nullopt);
  EXPECT_EQ(decode_percent("%0x", false), std::nullopt);
}

}  // namespace
}  // namespace gateway::admin
