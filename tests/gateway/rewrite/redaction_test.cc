#include "gateway/rewrite/redaction.hh"

#include <gtest/gtest.h>

#include <vector>

namespace gateway {
namespace {

TEST(Redaction, HidesTheValuesOfItsParameters) {
  const std::vector<std::string> names = {"access_token", "key"};
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/", "/"},
      {"/?a=1", "/?a=1"},
      {"/?access_token=x", "/?access_token=***"},
      {"/?access_token=", "/?access_token=***"},
      {"/?access_token", "/?access_token"},
      {"/?a=1&access_token=x&b=2", "/?a=1&access_token=***&b=2"},
      {"/?key=1&key=2", "/?key=***&key=***"},
      {"/?a=1;key=2", "/?a=1;key=***"},
      {"/?key=a=b?c", "/?key=***"},
      {"/?k%65y=1&%6bey=2", "/?k%65y=***&%6bey=***"},
      {"/?keys=1&ke=2&k%6=4", "/?keys=1&ke=2&k%6=4"},
      {"/?KEY=1&kEy=2&Access_%54oken=3", "/?KEY=***&kEy=***&Access_%54oken=***"},
      {"https://a.test/cb?key=1#state", "https://a.test/cb?key=***"},
      {"/key=1", "/key=1"},
      {"/??key=1", "/??key=***"},
      {"/?&&key=1&", "/?&&key=***&"},
      {"GET /?key=secret HTTP/1.1", "GET /?key=*** HTTP/1.1"},
      // A query within a value.
      {"/?next=/cb?key=1&b=2", "/?next=/cb?key=***&b=2"},
      {"/?next=/cb?a=1;key=2#c", "/?next=/cb?a=1;key=***"},
      {"/?next=/cb#key=2&b=3", "/?next=/cb#key=***&b=3"},
      {"/?next=%2Fcb%3Fkey%3D1%26b%3D2&c=3", "/?next=%2Fcb%3Fkey%3D***%26b%3D2&c=3"},
      {"/?next=%2fcb%3fa%3d1%26k%65y%3d2 HTTP/1.1", "/?next=%2fcb%3fa%3d1%26k%65y%3d*** HTTP/1.1"},
      {"/?next=%252Fcb%253Fkey%253D1%2526b%253D2%26c",
       "/?next=%252Fcb%253Fkey%253D***%2526b%253D2%26c"},
      {"/?next=key%3D1", "/?next=key%3D***"},
      // Nothing that is encoded ends a value that is not.
      {"/?key=a%26b%3Bc%20d?e&f=1", "/?key=***&f=1"},
      {"/?a=%3Fkey%3Dx%2526y%2520z%26b", "/?a=%3Fkey%3D***%26b"},
      {"/?next=%2Fcb%3Faccess%255Ftoken%3D1", "/?next=%2Fcb%3Faccess%255Ftoken%3D***"},
      {"/?access%25252525%", "/?access%25252525%"},
      {"/?key=%", "/?key=***"},
      {"/?a=%&key=%2", "/?a=%&key=***"},
      {"/?a=%25%2525%25252&b=%3", "/?a=%25%2525%25252&b=%3"},
  };
  std::string storage;
  for (const auto& [text, shown] : cases) EXPECT_EQ(redacted(text, names, storage), shown) << text;
  EXPECT_EQ(redacted("/?key=1", {}, storage), "/?key=1");
}

TEST(Redaction, NamesAreComparedAsTheyAreMeant) {
  EXPECT_TRUE(is_parameter("a%5fb", "a_b"));
  EXPECT_TRUE(is_parameter("a%5Fb", "a_b"));
  EXPECT_FALSE(is_parameter("A", "a"));
  EXPECT_FALSE(is_parameter("a%5", "a%"));
  EXPECT_FALSE(is_parameter("a", "ab"));
  EXPECT_FALSE(is_parameter("ab", "a"));
  EXPECT_FALSE(is_parameter("a%5fbc", "a_b"));
}

}  // namespace
}  // namespace gateway
