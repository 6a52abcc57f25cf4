// Fields out of replies: what a pointer finds, and each way in which a reply has none.
#include "tools/load/field_extraction.hh"

#include <gtest/gtest.h>

#include "tools/load/message_template.hh"

namespace load {
namespace {

std::expected<std::string, std::string> extracted(std::string_view pointer,
                                                  std::string_view reply) {
  const auto extraction = parse_extraction("x=" + std::string(pointer));
  EXPECT_TRUE(extraction) << pointer;
  std::string value;
  const auto done = extract({&*extraction, 1}, reply, {&value, 1});
  if (!done) return std::unexpected(done.error());
  return value;
}

TEST(Extraction, FindsWhatAPointerMeans) {
  constexpr std::string_view kReply =
      R"({"data":{"token":"a\"\u00e9","list":[1,2.5,true],"a/b":1,"m~n":2,"":3},"7":"seven"})";
  struct Case {
    std::string_view pointer;
    std::string_view expected;
  };
  for (const Case& each : {
           Case{"/data/token", "a\"\xc3\xa9"},
           Case{"/data/list/0", "1"},
           Case{"/data/list/1", "2.5"},
           Case{"/data/list/2", "true"},
           Case{"/data/a~1b", "1"},
           Case{"/data/m~0n", "2"},
           Case{"/data/", "3"},
           Case{"/7", "seven"},
       }) {
    const auto value = extracted(each.pointer, kReply);
    ASSERT_TRUE(value) << each.pointer << ": " << value.error();
    EXPECT_EQ(*value, each.expected) << each.pointer;
  }
  EXPECT_EQ(extracted("", "\"whole\""), "whole");
}

TEST(Extraction, SaysWhyAReplyHasNone) {
  struct Case {
    std::string_view pointer;
    std::string reply;
    std::string_view told;
  };
  for (const Case& each : {
           Case{"/a", "", "not JSON"},
           Case{"/a", "{", "not JSON"},
           Case{"/a", "{\"a\":\"\xff\"}", "not JSON"},
           Case{"/a", std::string(100'000, '['), "not JSON"},
           Case{"/a", std::string(kReplyBytesMax + 1, ' '), "above 1 MiB"},
           Case{"/a", "{}", "/a in a reply: nothing is there"},
           Case{"/a/b", "{\"a\":1}", "nothing is there"},
           Case{"/1", "[0]", "nothing is there"},
           Case{"/01", "[0,1]", "nothing is there"},
           Case{"/-", "[0]", "nothing is there"},
           Case{"/", "[0]", "nothing is there"},
           Case{"/99999999999999999999999", "[0]", "nothing is there"},
           Case{"/a", "{\"a\":{}}", "no text and no number"},
           Case{"/a", "{\"a\":null}", "no text and no number"},
           Case{"/a", "{\"a\":\"" + std::string(MessageTemplate::kFieldBytesMax + 1, 'x') + "\"}",
                "above 16 KiB"},
       }) {
    const auto value = extracted(each.pointer, each.reply);
    ASSERT_FALSE(value) << each.pointer << " " << each.reply.substr(0, 40);
    EXPECT_TRUE(value.error().contains(each.told)) << value.error();
  }
}

TEST(Extraction, TakesDeepReplies) {
  constexpr std::size_t kDepth = 100'000;
  const std::string reply = std::string(kDepth, '[') + "1" + std::string(kDepth, ']');
  EXPECT_EQ(extracted("/0/1", reply).error(), "/0/1 in a reply: nothing is there");
}

TEST(Extraction, FillsTheFieldThatItNames) {
  std::vector<Extraction> extractions;
  for (const std::string_view text : {"a=/one", "b=/two"}) {
    extractions.push_back(*parse_extraction(text));
  }
  extractions[0].field = 1;
  std::vector<std::string> fields(2);
  ASSERT_TRUE(extract(extractions, R"({"one":1,"two":2})", fields));
  EXPECT_EQ(fields, (std::vector<std::string>{"2", "1"}));
}

TEST(Extraction, SaysHowItIsWritten) {
  struct Case {
    std::string text;
    std::string_view told;
  };
  for (const Case& each : {
           Case{"token", "not NAME=/POINTER"},
           Case{"=/a", "not a name"},
           Case{"seq=/a", "not a name"},
           Case{"a=b", "not a JSON pointer"},
           Case{"a=/~2", "not a JSON pointer"},
           Case{"a=/~", "not a JSON pointer"},
           Case{"a=/" + std::string(2000, 'x'), "not a JSON pointer"},
       }) {
    const auto extraction = parse_extraction(each.text);
    ASSERT_FALSE(extraction) << each.text;
    EXPECT_TRUE(extraction.error().contains(each.told)) << extraction.error();
  }
}

}  // namespace
}  // namespace load
