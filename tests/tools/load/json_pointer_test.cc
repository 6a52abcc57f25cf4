// Scalar values that JSON pointers find while a message is read from its front.
#include "tools/load/json_pointer.hh"

#include <gtest/gtest.h>

#include <array>

namespace load {
namespace {

using Kind = JsonScalar::Kind;

JsonScalar found(std::string_view pointer, std::string_view json) {
  const auto parsed = JsonPointer::parse(pointer);
  EXPECT_TRUE(parsed) << pointer;
  JsonScalar scalar;
  EXPECT_TRUE(find_scalars(json, {&*parsed, 1}, {&scalar, 1})) << json;
  return scalar;
}

TEST(JsonPointer, FindsScalars) {
  constexpr std::string_view kJson =
      R"({"a":1,"b":{"a":"in b","c":[10,[20,{"d":"\u00e9"}],30]},"c":{"c":-3},"":4,"m~n/o":1.5,)"
      R"("t":true,"z":null,"f":2.0,"big":123456789012345678901234567890,"e":1e3})";
  struct Case {
    std::string_view pointer;
    Kind kind;
    std::string_view text;
  };
  for (const Case& each : {
           Case{"/a", Kind::kNumber, "1"},
           Case{"/b/a", Kind::kText, "in b"},
           Case{"/b/c/0", Kind::kNumber, "10"},
           Case{"/b/c/1/0", Kind::kNumber, "20"},
           Case{"/b/c/1/1/d", Kind::kText, "\xc3\xa9"},
           Case{"/b/c/2", Kind::kNumber, "30"},
           Case{"/c/c", Kind::kNumber, "-3"},
           Case{"/", Kind::kNumber, "4"},
           Case{"/m~0n~1o", Kind::kNumber, "1.5"},
           Case{"/f", Kind::kNumber, "2"},
           Case{"/e", Kind::kNumber, "1000"},
           Case{"/big", Kind::kNumber, "123456789012345678901234567890"},
           Case{"/t", Kind::kOther, ""},
           Case{"/z", Kind::kNull, ""},
           Case{"/b", Kind::kOther, ""},
           Case{"/b/c", Kind::kOther, ""},
           Case{"", Kind::kOther, ""},
           Case{"/d", Kind::kAbsent, ""},
           Case{"/a/a", Kind::kAbsent, ""},
           Case{"/a/c", Kind::kAbsent, ""},
           Case{"/b/c/00", Kind::kAbsent, ""},
           Case{"/b/c/3", Kind::kAbsent, ""},
           Case{"/b/c/-", Kind::kAbsent, ""},
       }) {
    const JsonScalar scalar = found(each.pointer, kJson);
    EXPECT_EQ(scalar.kind, each.kind) << each.pointer;
    EXPECT_EQ(scalar.text, each.text) << each.pointer;
  }
  EXPECT_EQ(found("", "7").text, "7");
  EXPECT_EQ(found("/0", "[\"x\"]").text, "x");
  EXPECT_EQ(found("/a", R"({"a":1,"a":2})").text, "1");
}

TEST(JsonPointer, DoesNotTakeOneBranchForAnother) {
  EXPECT_EQ(found("/a/x", R"({"a":5,"b":{"x":1}})").kind, Kind::kAbsent);
  EXPECT_EQ(found("/a/x", R"({"b":{"x":1},"a":{"y":{"x":2},"x":3}})").text, "3");
  EXPECT_EQ(found("/1/1", "[[0,1],[2,3],[4,5]]").text, "3");
  EXPECT_EQ(found("/a/x", R"([{"a":{"x":1}}])").kind, Kind::kAbsent);
  EXPECT_EQ(found("/0", R"({"0":"key"})").text, "key");
}

TEST(JsonPointer, ReadsNoFurtherThanItHasTo) {
  const std::array pointers{*JsonPointer::parse("/id"), *JsonPointer::parse("/at")};
  std::array<JsonScalar, 2> both;
  EXPECT_TRUE(find_scalars(R"({"id":1,"at":2,"cut)", pointers, both));
  EXPECT_EQ(both[0].text + both[1].text, "12");
  EXPECT_FALSE(find_scalars(R"({"id":1,"cut)", pointers, both));
  EXPECT_EQ(both[0].text, "1");
  EXPECT_EQ(both[1].kind, Kind::kAbsent);
}

TEST(JsonPointer, TellsWhatIsNoJson) {
  const auto pointer = JsonPointer::parse("/id");
  for (const std::string_view text : {"", "id", "{\"i\xff\":1}", "{\"x\":1", "[1,]", "{} {}"}) {
    JsonScalar scalar;
    EXPECT_FALSE(find_scalars(text, {&*pointer, 1}, {&scalar, 1})) << text;
  }
  // As deep as a message of 1 MiB can be.
  JsonScalar scalar;
  EXPECT_FALSE(find_scalars(std::string(1 << 20, '['), {&*pointer, 1}, {&scalar, 1}));
}

TEST(JsonPointer, IsRefusedWithAnExample) {
  for (const std::string& text :
       {std::string("id"), std::string("/a~"), std::string("/a~2"), "/" + std::string(1024, 'a')}) {
    const auto pointer = JsonPointer::parse(text);
    ASSERT_FALSE(pointer) << text;
    EXPECT_TRUE(pointer.error().starts_with("not a JSON pointer, such as /data/id")) << text;
  }
}

}  // namespace
}  // namespace load
