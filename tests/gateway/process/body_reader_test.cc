#include "gateway/process/body_reader.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(BodyReader, TakesObjectsAlone) {
  EXPECT_TRUE(json_body_from("")->empty());
  EXPECT_TRUE(json_body_from(" \r\n")->empty());
  EXPECT_TRUE(json_body_from("{}")->empty());
  for (const char* text : {"[]", "1", "null", "\"a\""})
    EXPECT_THAT(json_body_from(text).error(), HasSubstr("no JSON object")) << text;
  for (const char* text : {"{", "{a}", "{\"a\":1,}", "{\"a\":\"\xff\"}", "{} {}"})
    EXPECT_THAT(json_body_from(text).error(), HasSubstr("no JSON")) << text;
}

TEST(BodyReader, SurvivesDepth) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_FALSE(json_body_from(deep));
  EXPECT_TRUE(json_body_from("{\"a\":" + deep + "}"));
}

TEST(BodyReader, GivesValuesOfTheirTypes) {
  const auto body = *json_body_from(
      R"({"code": 4001, "reason": "x", "rate": 0.5, "all": true, "list": ["a", "b"], "size": 7})");
  BodyReader reader(body);
  EXPECT_EQ(reader.number("code"), 4001);
  EXPECT_EQ(reader.text("reason"), "x");
  EXPECT_EQ(reader.real("rate"), 0.5);
  EXPECT_EQ(reader.boolean("all"), true);
  EXPECT_THAT(reader.texts("list"), ElementsAre("a", "b"));
  EXPECT_EQ(reader.scalar("size"), "7");
  EXPECT_EQ(reader.text("other"), std::nullopt);
  EXPECT_EQ(reader.taken(), 6u);
  EXPECT_EQ(reader.fault(), std::nullopt);
}

TEST(BodyReader, NamesWhatIsWrong) {
  const auto body = *json_body_from(R"({"code": "x", "list": [1], "more": 1})");
  EXPECT_THAT(*BodyReader(body).fault(), HasSubstr("'code' is no name here"));
  BodyReader number(body);
  EXPECT_EQ(number.number("code"), std::nullopt);
  EXPECT_EQ(number.fault(), "code: this is a whole number");
  BodyReader list(body);
  EXPECT_THAT(list.texts("list"), IsEmpty());
  EXPECT_EQ(list.fault(), "list: this is a list of texts");
  BodyReader absent(body);
  EXPECT_THAT(absent.texts("absent"), IsEmpty());
  EXPECT_THAT(*absent.fault(), HasSubstr("has to be there"));
}

}  // namespace
}  // namespace gateway
