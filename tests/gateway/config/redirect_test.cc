// Where redirects lead, whatever is asked for.
#include <gtest/gtest.h>

#include "gateway/config/redirect.hh"

namespace {

using gateway::config::redirect_location;

TEST(RedirectLocation, StaysAPathWhereItIsWrittenAsOne) {
  for (const std::string_view target : {"/a", "//a", "///a", "/\\a", "\\/a", "/\\/\\a"}) {
    for (const std::string_view to : {"/{target}", "//a.test{target}"}) {
      const auto location = redirect_location(to, "", target);
      ASSERT_TRUE(location);
      if (to.starts_with("//")) {
        EXPECT_EQ(*location, "//a.test" + std::string(target));
      } else {
        EXPECT_EQ(*location, "/a") << target;
      }
    }
  }
  EXPECT_EQ(redirect_location("/", "", "//"), "/");
  EXPECT_EQ(redirect_location("/{target}", "", "/"), "/");
  EXPECT_EQ(redirect_location("/a?to=http://{host}", "", "/"), "/a?to=http://");
}

TEST(RedirectLocation, NamesAHostThatIsValidOrDoesNotExist) {
  for (const std::string_view to :
       {"http://{host}/", "https://{authority}", "//{host}{target}", "https://a.{host}?b"}) {
    EXPECT_FALSE(redirect_location(to, "", "/")) << to;
    EXPECT_FALSE(redirect_location(to, "not valid", "/")) << to;
    EXPECT_FALSE(redirect_location(to, "a.test:0", "/")) << to;
    EXPECT_TRUE(redirect_location(to, "a.test:1", "/")) << to;
  }
  EXPECT_EQ(redirect_location("http://{host}:2{target}", "[::1]:3", "/"), "http://[::1]:2/");
  EXPECT_FALSE(redirect_location("http://{authority}:2{target}", "a.test:3", "/"));
}

// The dot of a name that is complete (RFC 1034 section 3.1) has no place in the middle of one.
TEST(RedirectLocation, LeavesTheDotBehindAHostOut) {
  EXPECT_EQ(redirect_location("http://{host}.example.com/", "a.:1", "/"), "http://a.example.com/");
  EXPECT_EQ(redirect_location("https://{host}{target}", "a.test.", "/b"), "https://a.test/b");
  EXPECT_EQ(redirect_location("https://{authority}/", "a.test.:1", "/"), "https://a.test.:1/");
}

TEST(RedirectLocation, LeavesOtherBracesAsTheyAre) {
  EXPECT_EQ(redirect_location("/{a}{{host}}{", "a.test", "/"), "/{a}{a.test}{");
}

TEST(RedirectLocation, ReplacesNothingInWhatItReplacedByIt) {
  EXPECT_EQ(redirect_location("/a{target}{host}", "a.test", "/{host}{target}"),
            "/a/{host}{target}a.test");
}

}  // namespace
