// Paths and hosts in normal form.
#include "proto/http/target.hh"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace {

struct Case {
  std::string input;
  std::string expected;
};

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

TEST(Path, IsNormalised) {
  const Case cases[] = {
      {"", "/"},
      {"/", "/"},
      {"/a", "/a"},
      {"/a/", "/a/"},
      {"//a///b//", "//a///b//"},
      {"/.", "/"},
      {"/./", "/"},
      {"/a/.", "/a/"},
      {"/a/./b", "/a/b"},
      {"/..", "/"},
      {"/../a", "/a"},
      {"/../../a/..", "/"},
      {"/a/..", "/"},
      {"/a/../", "/"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/../c", "/a/c"},
      {"/a//../b", "/a/b"},
      {"/a/b/c/./../../g", "/a/g"},
      {"/...", "/..."},
      {"/.a/..b/c.", "/.a/..b/c."},
      {"/%61%2d%2E%5f%7E%30", "/a-._~0"},
      {"/%2e", "/"},
      {"/a/%2E%2e/b", "/b"},
      {"/a/.%2e/b", "/b"},
      {"/a%2fb", "/a%2Fb"},
      {"/a/..%2fb", "/a/..%2Fb"},
      {"/%c3%a9%20", "/%C3%A9%20"},
      {"/%252e", "/%252e"},
      {"/%25%32%65", "/%252e"},
      {"/a;b=c,d:e@f!$&'()*+", "/a;b=c,d:e@f!$&'()*+"},
  };
  for (const Case& each : cases) EXPECT_EQ(normal_path(each.input), each.expected) << each.input;
}

TEST(Path, StaysAsItIsOnceNormalised) {
  for (const char* path : {"/a/../b//%2f", "/%2e%2e/%252e%252e/", "//..//./%41", "/a/b/.."}) {
    const std::string once = normal_path(path);
    EXPECT_EQ(normal_path(once), once) << path;
  }
}

TEST(Path, IsRefused) {
  for (const char* path : {"a", "*", "a/b", "/%", "/%4", "/%4g", "/%g4", "/a%00b", "/%00", "/a b",
                           "/a?b", "/a#b", "/a\x01", "/\xc3\xa9", "/a/%2"}) {
    EXPECT_EQ(normal_path(path), "refused") << path;
  }
  EXPECT_EQ(normal_path({"/a\0", 3}), "refused");
}

TEST(Path, IsBoundedByTheStorage) {
  std::array<char, 4> storage;
  EXPECT_EQ(http::normalise_path("/abc", storage), "/abc");
  EXPECT_EQ(http::normalise_path("/abcd", storage), std::nullopt);
  EXPECT_EQ(http::normalise_path("", std::span<char>()), std::nullopt);
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
