// The id that a template gives its requests, and requests that no template says.
#include "tools/load/reply_id.hh"

#include <gtest/gtest.h>

namespace load {
namespace {

// The number of the request that has this id on connection 7; nothing: none of its.
std::optional<std::uint64_t> number_of(std::string_view message, std::string_view pointer,
                                       std::string_view id) {
  const std::vector<std::string> names{"token"};
  const std::vector<std::string> values{"t"};
  const auto form = id_form(message, *JsonPointer::parse(pointer), names);
  EXPECT_TRUE(form) << message << ": " << form.error();
  if (!form) return std::nullopt;
  const MessageFacts own{.connection = 7, .fields = values};
  const auto facts = form->match(id, &own);
  if (!facts || facts->connection.value_or(7) != 7) return std::nullopt;
  return facts->number;
}

TEST(ReplyId, HasTheFormThatTheMessageGivesIt) {
  constexpr std::string_view kNumber = R"({{"id":{seq},"at":{time}}})";
  EXPECT_EQ(number_of(kNumber, "/id", "12"), 12u);
  EXPECT_EQ(number_of(kNumber, "/id", "x"), std::nullopt);
  EXPECT_EQ(number_of(kNumber, "/id", "12x"), std::nullopt);
  EXPECT_EQ(number_of(kNumber, "/id", ""), std::nullopt);
  EXPECT_EQ(number_of(kNumber, "/id", "123456789012345678901"), std::nullopt);

  constexpr std::string_view kText = R"({{"a":[{conn},{{"id":"{conn}-{seq}"}}]}})";
  EXPECT_EQ(number_of(kText, "/a/1/id", "7-12"), 12u);
  EXPECT_EQ(number_of(kText, "/a/1/id", "8-12"), std::nullopt);
  EXPECT_EQ(number_of(kText, "/a/1/id", "12"), std::nullopt);

  EXPECT_EQ(number_of(R"({{"id":"a\"{{{seq}}}"}})", "/id", "a\"{12}"), 12u);
  EXPECT_EQ(number_of(R"({{"id":"{token}/{seq}/{rand:4}"}})", "/id", "t/12/abcd"), 12u);
  EXPECT_EQ(number_of(R"({{"id":"{token}/{seq}"}})", "/id", "u/12"), std::nullopt);
  EXPECT_EQ(number_of(R"({{"id":"900000001{seq}"}})", "/id", "90000000112"), 12u);
  EXPECT_EQ(number_of(R"(["1","{seq}","room:1","new",{{}}])", "/1", "12"), 12u);
}

TEST(ReplyId, IsTheNumberWhereTheMessageHasNone) {
  EXPECT_EQ(number_of(R"({{"request":{seq}}})", "/in_reply_to", "12"), 12u);
  EXPECT_EQ(number_of("GET {seq}", "/id", "12"), 12u);
}

TEST(ReplyId, IsRefusedWhereItTellsNothing) {
  struct Case {
    std::string_view message;
    std::string_view told;
  };
  for (const Case& each : {
           Case{R"({{"id":1}})", "its id at /id has no {seq}"},
           Case{R"({{"id":"{rand:16}","n":{seq}}})", "its id at /id has no {seq}"},
           Case{R"({{"id":null,"n":{seq}}})", "its id at /id has no {seq}"},
           Case{R"({{"id":[{seq}]}})", "its id at /id has no {seq}"},
           Case{"x", "its id at /id has no {seq}"},
           Case{"{{seq}}", "its id at /id has no {seq}"},
           Case{R"({{"id":"{conn}{seq}"}})", "its id is {conn}{seq}, and where a value in it ends"},
       }) {
    const auto form = id_form(each.message, *JsonPointer::parse("/id"), {});
    ASSERT_FALSE(form) << each.message;
    EXPECT_TRUE(form.error().starts_with(each.told)) << form.error();
  }
}

TEST(ReplyId, MakesRequestsOfAnySize) {
  const auto pointer = JsonPointer::parse("/id");
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{12}, ~std::uint64_t{0}}) {
    for (const std::size_t size : {kRequestBytesMin, std::size_t{65}, std::size_t{5000}}) {
      std::string text(size, '\0');
      ASSERT_EQ(write_request(number, size, std::as_writable_bytes(std::span(text))), size);
      JsonScalar id;
      ASSERT_TRUE(find_scalars(text, {&*pointer, 1}, {&id, 1})) << text;
      EXPECT_EQ(id.text, std::to_string(number));
      // All of it is JSON, to the end.
      const auto nowhere = JsonPointer::parse("/nowhere");
      EXPECT_TRUE(find_scalars(text, {&*nowhere, 1}, {&id, 1})) << text;
    }
  }
}

}  // namespace
}  // namespace load
