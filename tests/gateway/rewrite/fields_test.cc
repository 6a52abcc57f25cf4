// Lines of heads, in texts of any room.
#include "gateway/rewrite/fields.hh"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(AppendAll, AddsItsPartsAndNothingElse) {
  const std::string before = "0123456789";
  for (std::size_t room = before.size(); room < before.size() + 64; ++room) {
    std::string text = before;
    text.reserve(room);
    gateway::append_all(text, {"one", "", ", a second one", ", and the third of them"});
    EXPECT_EQ(text, before + "one, a second one, and the third of them") << "room for " << room;
  }
}

TEST(AppendAll, OfNothingIsNothing) {
  std::string text = "as it was";
  gateway::append_all(text, {});
  gateway::append_all(text, {"", ""});
  EXPECT_EQ(text, "as it was");
}

TEST(AddLine, EndsWithALineEnd) {
  std::string head;
  gateway::add_line(head, "Name", "a value");
  gateway::add_line(head, "Empty", "");
  EXPECT_EQ(head, "Name: a value\r\nEmpty: \r\n");
}

}  // namespace
