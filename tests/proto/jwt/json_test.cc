#include "proto/jwt/json.hh"

#include <gtest/gtest.h>

namespace jwt {
namespace {

TEST(Json, FindsMembersByTheirPath) {
  const auto json = Json::parse(R"({"a": {"b.c": [1, "x", {"d": true}]}, "e": -1.50, "f": null})");
  ASSERT_TRUE(json);
  const Json::Value* const list = json->find(std::vector<std::string>{"a", "b.c"});
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->kind, Json::Kind::kArray);
  const auto children = json->children(*list);
  ASSERT_EQ(children.size(), 3u);
  EXPECT_EQ(children[0]->text, "1");
  EXPECT_EQ(children[1]->text, "x");
  EXPECT_EQ(json->member(*children[2], "d")->text, "true");
  const Json::Value* const number = json->find(std::vector<std::string>{"e"});
  EXPECT_EQ(number->text, "-1.50");
  EXPECT_EQ(number->number, -1.5);
  EXPECT_EQ(json->find(std::vector<std::string>{"a", "d"}), nullptr);
  EXPECT_EQ(json->find(std::vector<std::string>{"e", "x"}), nullptr);
  EXPECT_EQ(json->find(std::vector<std::string>{"f"})->kind, Json::Kind::kNull);
}

TEST(Json, RefusesWhatTwoReadersCouldTakeInTwoWays) {
  for (const std::string_view text :
       {R"({"a": 1, "a": 2})", R"({"a": {"b": 1, "b": 1}})", "{\"a\": \"\xff\"}", R"({"a": 1} x)",
        R"({"a": 1}{"a": 1})", R"({'a': 1})", R"({"a": 01})", R"({"a": NaN})", R"({"a": 1e999})",
        R"({"a": "\ud800"})", "{\"a\": \"\n\"}", R"({"a": 1,})", R"({"a" 1})", "", "{",
        "\xef\xbb\xbf{}", R"({/* */"a": 1})"}) {
    EXPECT_FALSE(Json::parse(text)) << text;
  }
  EXPECT_FALSE(Json::parse(std::string_view("{}\0", 3)));
  EXPECT_FALSE(Json::parse(std::string_view("{}\0{}", 5)));
}

TEST(Json, SameNamesInDifferentObjectsAreDifferentMembers) {
  EXPECT_TRUE(Json::parse(R"({"a": {"a": 1}, "b": {"a": 2}})"));
}

TEST(Json, EndsAtItsLimits) {
  EXPECT_TRUE(Json::parse("[[1]]", {.depth = 2, .values = 3}));
  EXPECT_FALSE(Json::parse("[[1]]", {.depth = 1, .values = 3}));
  EXPECT_FALSE(Json::parse("[[1]]", {.depth = 2, .values = 2}));
  EXPECT_FALSE(Json::parse(std::string(100'000, '[')));
}

}  // namespace
}  // namespace jwt
