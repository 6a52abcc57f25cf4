// Paths as they go on, and paths and hosts in normal form.
#include "proto/http/target.hh"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace {

struct Case {
  std::string input;
  std::string expected;
};

std::string resolved_path(std::string_view path) {
  std::array<char, 256> storage;
  const auto resolved = http::resolve_path(path, storage);
  return resolved ? std::string(*resolved) : "refused";
}

std::string normal_path(std::string_view path) {
  std::array<char, 256> storage;
  const auto normal = http::normalise_path(path, storage);
  return normal ? std::string(*normal) : "refused";
}

std::string normal_host(std::string_view authority) {
  std::array<char, http::kHostMax> storage;
  const auto normal = http::normalise_host(authority, storage);
  return normal ? std::string(*normal) : "refused";
}

TEST(Target, IsSplitAtTheFirstQuestionMark) {
  EXPECT_EQ(http::split_target("/a/b").path, "/a/b");
  EXPECT_EQ(http::split_target("/a/b").query, "");
  EXPECT_EQ(http::split_target("/a?b?c").path, "/a");
  EXPECT_EQ(http::split_target("/a?b?c").query, "?b?c");
  EXPECT_EQ(http::split_target("?").path, "");
  EXPECT_EQ(http::split_target("?").query, "?");
}

TEST(Path, LosesItsDotSegmentsAndNothingElse) {
  const Case cases[] = {
      {"", "/"},
      {"/", "/"},
      {"/a", "/a"},
      {"/a/", "/a/"},
      {"//", "//"},
      {"//admin", "//admin"},
      {"//a///b//", "//a///b//"},
      {"/.", "/"},
      {"/./", "/"},
      {"/a/.", "/a/"},
      {"/a/./", "/a/"},
      {"/a/./b", "/a/b"},
      {"/a/././/.", "/a//"},
      {"/..", "/"},
      {"/../", "/"},
      {"/../a", "/a"},
      {"/../../a/..", "/"},
      {"/..//admin", "//admin"},
      {"//..", "/"},
      {"//../a", "/a"},
      {"/a/..", "/"},
      {"/a/../", "/"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/../", "/a/"},
      {"/a/b/../c", "/a/c"},
      {"/a/b/..//c", "/a//c"},
      {"/a//../b", "/a/b"},
      {"/a//..", "/a/"},
      {"/a///../../b", "/a/b"},
      {"/a/b/c/./../../g", "/a/g"},
      {"/admin/..", "/"},
      {"/admin/x/../..", "/"},
      {"/admin/%2e%2e", "/"},
      {"/admin/%2e%2E/", "/"},
      {"/admin/.%2e/x", "/x"},
      {"/admin/%2e.", "/"},
      {"/admin/%2e", "/admin/"},
      {"/%2e%2e/admin", "/admin"},
      {"/;/..", "/"},
      {"/;x/../a", "/a"},
      {"/...", "/..."},
      {"/..a/.b/c../%2e%2e%2e", "/..a/.b/c../%2e%2e%2e"},
      {"/a;b/..;b/", "refused"},
      // An escaped slash is data, and a backslash, too.
      {"/%2e%2e%2fadmin", "/%2e%2e%2fadmin"},
      {"/a/..%2fb", "/a/..%2fb"},
      {"/admin%2f..%2f", "/admin%2f..%2f"},
      {"/a%2f../b", "/a%2f../b"},
      {"/a\\..\\b", "/a\\..\\b"},
      {"/a\\/../b", "/b"},
      {"/a/..%5cb", "/a/..%5cb"},
      // What stays, stays as it came.
      {"/%61%2D%7e/%c3%a9/../%41", "/%61%2D%7e/%41"},
      {"/%252e%252e/a", "/%252e%252e/a"},
      {"/%2fa/../%2F", "/%2F"},
      {"/a;b=c,d:e@f!$&'()*+\"<>^`{|}", "/a;b=c,d:e@f!$&'()*+\"<>^`{|}"},
  };
  for (const Case& each : cases) EXPECT_EQ(resolved_path(each.input), each.expected) << each.input;
}

TEST(Path, IsNormalised) {
  const Case cases[] = {
      {"", "/"},
      {"/", "/"},
      {"//", "/"},
      {"//admin", "/admin"},
      {"//a///b//", "/a/b/"},
      {"/a/././/.", "/a/"},
      {"/../..//a", "/a"},
      {"/a//../b", "/a/b"},
      {"/...", "/..."},
      {"/.a/..b/c.", "/.a/..b/c."},
      {"/%61%2d%2E%5f%7E%30", "/a-._~0"},
      {"/%2e", "/"},
      {"/a/%2E%2e/b", "/b"},
      {"/a%2fb", "/a%2Fb"},
      {"/a/..%2fb", "/a/..%2Fb"},
      {"/%2f%2F", "/%2F%2F"},
      {"/%c3%a9%20", "/%C3%A9%20"},
      {"/%252e", "/%252e"},
      {"/%25%32%65", "/%252e"},
      {"/%3f%23%3F", "/%3F%23%3F"},
      {"/a%5cb", "/a\\b"},
      {"/%40me/%3bx/%7cy%21%2a", "/@me/;x/|y!*"},
      {"/a;b=c,d:e@f!$&'()*+", "/a;b=c,d:e@f!$&'()*+"},
  };
  for (const Case& each : cases) EXPECT_EQ(normal_path(each.input), each.expected) << each.input;
}

TEST(Path, StaysAsItIsOnceResolvedOrNormalised) {
  for (const char* path : {"/a/../b//%2f", "/%2e%2e/%252e%252e/", "//..//./%41", "/a/b/..",
                           "/%5c%2e%2e", "/%7c//%25%37%43"}) {
    const std::string resolved = resolved_path(path);
    EXPECT_EQ(resolved_path(resolved), resolved) << path;
    const std::string normal = normal_path(path);
    EXPECT_EQ(normal_path(resolved), normal) << path;
    EXPECT_EQ(normal_path(normal), normal) << path;
  }
}

TEST(Path, IsRefused) {
  for (const char* path :
       {"a",        "*",        "a/b",       "/%",        "/%4",         "/%4g",   "/%g4",
        "/a%00b",   "/%00",     "/a b",      "/a?b",      "/a#b",        "/a\x01", "/\xc3\xa9",
        "/a/%2",    "/%00/../", "/x%zz/..",  "/..;",      "/..;x/a",     "/.;x",   "/a/.%2e;x",
        "/%2e%2e;", "/..%3Bx",  "/a/%2e%3b", "/..;/../a", "/a/..;x/../b"}) {
    EXPECT_EQ(resolved_path(path), "refused") << path;
    EXPECT_EQ(normal_path(path), "refused") << path;
  }
  EXPECT_EQ(resolved_path({"/a\0", 3}), "refused");
}

TEST(Path, IsBoundedByTheStorage) {
  std::array<char, 4> storage;
  EXPECT_EQ(http::resolve_path("/abc", storage), "/abc");
  EXPECT_EQ(http::resolve_path("/abcd", storage), std::nullopt);
  EXPECT_EQ(http::resolve_path("", std::span<char>()), std::nullopt);
  EXPECT_EQ(http::normalise_path("/a%62", storage), std::nullopt);
}

TEST(Path, LosesExactlyTheSegmentsOfAPrefix) {
  struct Prefixed {
    std::string_view path;
    std::string_view prefix;
    std::string_view rest;
  };
  for (const auto& [path, prefix, rest] : {
           Prefixed{"/api", "/api", ""},
           Prefixed{"/api/", "/api", "/"},
           Prefixed{"/api/x", "/api", "/x"},
           Prefixed{"/%61pi/%61pi", "/api", "/%61pi"},
           Prefixed{"//api//x/", "/api", "//x/"},
           Prefixed{"/api/v1/x", "/api/v1", "/x"},
           Prefixed{"///api///v1", "/api/v1", ""},
           Prefixed{"/a%2Fb/c", "/a%2Fb", "/c"},
           Prefixed{"/a/b", "/", "/a/b"},
           Prefixed{"//", "/", "//"},
       }) {
    EXPECT_EQ(http::without_prefix(path, prefix), rest) << path;
  }
}

TEST(Path, MayHaveAnEscapedSlash) {
  for (const char* path : {"/a%2fb", "/%2F", "/a%5c", "/%5Cb", "/a\\b", "/%61%2f", "/%25%2f"}) {
    EXPECT_TRUE(http::has_escaped_slash(path)) << path;
  }
  for (const char* path : {"/", "//a/b/", "/%252f", "/%2e%5d%2", "/%", "/2f5c"}) {
    EXPECT_FALSE(http::has_escaped_slash(path)) << path;
  }
}

TEST(Host, IsNormalised) {
  const Case cases[] = {
      {"a", "a"},
      {"Chat.Example.COM", "chat.example.com"},
      {"example.com:8443", "example.com"},
      {"example.com:", "example.com"},
      {"example.com.", "example.com"},
      {"example.com.:80", "example.com"},
      {"a_b-c.d", "a_b-c.d"},
      {"10.0.0.1:1", "10.0.0.1"},
      {"[::1]", "[::1]"},
      {"[2001:DB8::a]:443", "[2001:db8::a]"},
      {"[::ffff:10.0.0.1]", "[::ffff:10.0.0.1]"},
      {std::string(255, 'a'), std::string(255, 'a')},
  };
  for (const Case& each : cases) EXPECT_EQ(normal_host(each.input), each.expected) << each.input;
}

TEST(Host, IsRefused) {
  for (const char* authority : {"",
                                ".",
                                "..",
                                ".a",
                                "a..b",
                                ":80",
                                "a b",
                                "a/b",
                                "a,b",
                                "a%20b",
                                "me@a",
                                "a:b",
                                "a:80:80",
                                "a:0",
                                "a:65536",
                                "a:999999",
                                "a:+80",
                                "a: 80",
                                "a:80 ",
                                "::1",
                                "[::1",
                                "[]",
                                "[::1]a",
                                "[::1]:x",
                                "[::1%eth0]",
                                "[10.0.0.1]",
                                "[:::1]",
                                "[v1.a]",
                                "[1:2:3:4:5:6:7:8:9]",
                                "a]",
                                "\xc3\xa9",
                                "a\x7f",
                                "*",
                                "a!"}) {
    EXPECT_EQ(normal_host(authority), "refused") << authority;
  }
  EXPECT_EQ(normal_host(std::string(256, 'a')), "refused");
  EXPECT_EQ(normal_host({"[::1\0]", 6}), "refused");
}

TEST(Authority, TellsThePort) {
  EXPECT_EQ(http::parse_authority("a:443")->port, 443);
  EXPECT_EQ(http::parse_authority("a:65535")->port, 65535);
  EXPECT_EQ(http::parse_authority("[::1]:1")->port, 1);
  EXPECT_EQ(http::parse_authority("[::1]:1")->host, "[::1]");
  EXPECT_EQ(http::parse_authority("a")->port, std::nullopt);
  EXPECT_EQ(http::parse_authority("a:")->port, std::nullopt);
}

}  // namespace
