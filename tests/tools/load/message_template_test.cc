// Templates: what they render, what they read back out of an echo, and what they refuse.
#include "tools/load/message_template.hh"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "tools/load/csv_column.hh"

namespace load {
namespace {

const std::vector<std::string> kNames = {"token", "user_id"};
const std::vector<std::string> kValues = {"t0k", "7"};

MessageTemplate parsed(std::string_view text) {
  auto made = MessageTemplate::parse(text, kNames);
  EXPECT_TRUE(made) << text << ": " << made.error();
  return made ? std::move(*made) : MessageTemplate();
}

std::string rendered(const MessageTemplate& message, std::uint64_t number = 3,
                     std::uint64_t connection = 4) {
  std::mt19937_64 random(1);
  std::vector<std::byte> bytes(message.bytes_max());
  const std::size_t size =
      message.render({.number = number, .connection = connection, .time_us = 99, .fields = kValues},
                     random, bytes);
  EXPECT_LE(size, bytes.size());
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

ReadFile reads(const std::map<std::string, std::string>& files) {
  return [files](const std::string& path) -> std::expected<std::string, std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return std::unexpected("cannot read " + path);
    return found->second;
  };
}

TEST(MessageTemplate, RendersWhatItNames) {
  struct Case {
    std::string_view text;
    std::string_view expected;
  };
  for (const Case& each : {
           Case{"", ""},
           Case{"plain", "plain"},
           Case{"{seq}", "3"},
           Case{"a{seq}b{conn}c{time}d", "a3b4c99d"},
           Case{R"({{"n":{seq},"t":"{token}"}})", R"({"n":3,"t":"t0k"})"},
           Case{"{{{seq}}}", "{3}"},
           Case{"{user_id}{user_id}", "77"},
           Case{"{{}}", "{}"},
       }) {
    EXPECT_EQ(rendered(parsed(each.text)), each.expected) << each.text;
  }
}

TEST(MessageTemplate, HasRoomForTheLargestNumbers) {
  const std::uint64_t most = ~std::uint64_t{0};
  EXPECT_EQ(rendered(parsed("{seq}{conn}"), most, most),
            "1844674407370955161518446744073709551615");
}

TEST(MessageTemplate, DrawsLetters) {
  const MessageTemplate message = parsed("{rand:1000}");
  const std::string one = rendered(message);
  EXPECT_EQ(one.size(), 1000u);
  EXPECT_EQ(one.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string::npos);
  for (char c = 'a'; c <= 'z'; ++c) EXPECT_NE(one.find(c), std::string::npos) << c;
}

TEST(MessageTemplate, TakesARowForEachConnectionInTurn) {
  MessageTemplate message = parsed("{file:u.csv:name}/{file:u.csv:id}");
  const auto files = reads({{"u.csv", "id,name\r\n1,ann\r\n2,\"b,\"\"o\"\"b\"\r\n"}});
  ASSERT_TRUE(message.load_files(files));
  EXPECT_EQ(rendered(message, 0, 0), "ann/1");
  EXPECT_EQ(rendered(message, 0, 1), "b,\"o\"b/2");
  EXPECT_EQ(rendered(message, 9, 2), "ann/1");
}

TEST(MessageTemplate, SaysWhatIsWrongWithAFile) {
  struct Case {
    std::string csv;
    std::string_view told;
  };
  for (const Case& each : {
           Case{"", "u.csv:1: empty"},
           Case{"a,b\n1,2\n", "u.csv:1: no column 'name': there are a, b"},
           Case{"name\n", "no row"},
           Case{"name,b\n1,2\n\n3\n", "u.csv:4: 1 values, and the first line names 2 columns"},
           Case{"name\n\"x", "u.csv:2: a quote that is not closed"},
           Case{"name\n\"x\"y\n", "u.csv:2: text behind"},
           Case{"name\n\"x\ny\"\n\xff\n", "u.csv:4: not UTF-8"},
           Case{"name\n" + std::string(kCsvValueBytesMax + 1, 'x'), "above 16 KiB"},
           Case{std::string(kCsvBytesMax + 1, 'x'), "above 16 MiB"},
       }) {
    MessageTemplate message = parsed("ab{file:u.csv:name}");
    const auto loaded = message.load_files(reads({{"u.csv", each.csv}}));
    ASSERT_FALSE(loaded) << each.csv.substr(0, 40);
    EXPECT_TRUE(loaded.error().starts_with("column 3: u.csv:")) << loaded.error();
    EXPECT_TRUE(loaded.error().contains(each.told)) << loaded.error();
  }
  MessageTemplate absent = parsed("{file:/x:name}");
  const auto loaded = absent.load_files(reads({}));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error(), "column 1: cannot read /x");
}

TEST(MessageTemplate, ReadsItsEchoBack) {
  const MessageTemplate message =
      parsed(R"({{"n":{seq},"c":{conn},"at":{time},"t":"{token}","x":"{rand:5}"}})");
  const auto facts = message.match(rendered(message, 12, 34), nullptr);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->number, 12u);
  EXPECT_EQ(facts->connection, 34u);
  EXPECT_EQ(facts->time_us, 99u);
  EXPECT_TRUE(message.can_match() && message.has_number() && message.has_connection());
  EXPECT_FALSE(parsed("{time}").has_number() || parsed("{time}").has_connection());
}

TEST(MessageTemplate, TellsWhatIsNoEcho) {
  const MessageTemplate message = parsed("n={seq} {rand:3};{token}!");
  EXPECT_TRUE(message.match("n=1 abc;x!", nullptr));
  for (const std::string_view reply :
       {"", "n=", "n=x abc;x!", "n=1 ab;x!", "n=1 a1c;x!", "n=1 abc;x", "n=1 abc;x!y", "m=1 abc;x!",
        "n=99999999999999999999 abc;x!", "n=-1 abc;x!"}) {
    EXPECT_FALSE(message.match(reply, nullptr)) << reply;
  }
}

TEST(MessageTemplate, KnowsItsOwnValuesInAnEcho) {
  const std::vector<std::string> values = {"1", ""};
  MessageTemplate message = parsed("{token}1{seq}/{file:u.csv:name}");
  ASSERT_TRUE(message.load_files(reads({{"u.csv", "name\n//\nb\n"}})));
  const MessageFacts own{.connection = 0, .fields = values};
  const auto facts = message.match("117///", &own);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->number, 7u);
  EXPECT_FALSE(message.match("117/b", &own));
  EXPECT_FALSE(message.match("217///", &own));
}

TEST(MessageTemplate, IsNotReadBackWhereAValuesEndIsNotClear) {
  for (const std::string_view text : {"{seq}{conn}", "{seq}0", "{token}{seq}"}) {
    const MessageTemplate message = parsed(text);
    EXPECT_FALSE(message.can_match()) << text;
    EXPECT_FALSE(message.match(rendered(message), nullptr)) << text;
  }
  EXPECT_TRUE(parsed("{seq}{rand:2}").match("5ab", nullptr));
}

TEST(MessageTemplate, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string text;
    std::string_view told;
  };
  for (const Case& each : {
           Case{"ab{", "column 3: a { without its }"},
           Case{"{a{seq}", "column 1: a { without its }"},
           Case{"a}", "column 2: a } without its {"},
           Case{"{}", "column 1: {} is none of {seq}"},
           Case{"{tokne}", "{token}, {user_id}"},
           Case{"x{rand:0}", "column 2: {rand:N} has 1 to 65536 letters"},
           Case{"{rand:65537}", "has 1 to"},
           Case{"{rand:x}", "has 1 to"},
           Case{"{rand}", "is none of"},
           Case{"{file:x}", "a file's column is written"},
           Case{"{file::x}", "a file's column is written"},
           Case{"{file:x:}", "a file's column is written"},
           Case{"\xff", "UTF-8"},
           Case{std::string(MessageTemplate::kTextBytesMax + 1, 'x'), "at most 1 MiB"},
       }) {
    const auto made = MessageTemplate::parse(each.text, kNames);
    ASSERT_FALSE(made) << each.text.substr(0, 40);
    EXPECT_TRUE(made.error().contains(each.told)) << made.error();
  }
  std::string large;
  for (int i = 0; i < 65; ++i) large += "{rand:65536}";
  const auto made = MessageTemplate::parse(large, kNames);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().contains("4 MiB")) << made.error();
}

TEST(FieldName, IsAWordOfItsOwn) {
  for (const std::string_view name : {"token", "a", "user_id2"}) EXPECT_TRUE(is_field_name(name));
  for (const std::string_view name : {"", "2a", "_a", "a-b", "seq", "file", "rand", "{"}) {
    EXPECT_FALSE(is_field_name(name)) << name;
  }
}

}  // namespace
}  // namespace load
