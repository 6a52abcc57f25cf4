#include "proto/http/cookie.hh"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string read(std::string_view field_value) {
  std::string all;
  http::CookieReader reader(field_value);
  while (const auto cookie = reader.next()) {
    all.append("[").append(cookie->name).append("|").append(cookie->value).append("]");
  }
  return all;
}

TEST(CookieReader, ReadsWhateverComes) {
  struct Case {
    std::string_view field;
    std::string_view read;
  };
  for (const Case& one : {
           Case{"a=1; b=2", "[a|1][b|2]"},
           Case{"a=1;b=2;", "[a|1][b|2]"},
           Case{"", ""},
           Case{" ; ;;", ""},
           Case{"a", "[|a]"},
           Case{"=x", "[|x]"},
           Case{"a=", "[a|]"},
           Case{"a=\"1\"; b=\"; c=\"\"", "[a|1][b|\"][c|]"},
           Case{"a = 1 ;\tb\t=2", "[a|1][b|2]"},
           Case{"a=1=2", "[a|1=2]"},
           Case{"a=1, b=2", "[a|1, b=2]"},
           Case{"a=1; a=2", "[a|1][a|2]"},
       }) {
    EXPECT_EQ(read(one.field), one.read) << one.field;
  }
}

TEST(CookieReader, KeepsThePieceAsItStands) {
  http::CookieReader reader(" a = \"1\" ; b");
  EXPECT_EQ(reader.next()->text, "a = \"1\"");
  EXPECT_EQ(reader.next()->text, "b");
}

}  // namespace
