// Which certificate has which name.
#include <gtest/gtest.h>

#include "proto/tls/name_table.hh"
#include "proto/tls/policy_names.hh"

namespace tls::test {
namespace {

TEST(NameTable, PrefersTheExactNameAndFallsBackToTheFirst) {
  const struct {
    const char* pattern;
    std::size_t certificate;
  } patterns[] = {
      {"first.test", 0},
      {"one.test", 1},
      {"*.one.test", 1},
      {"Mixed.Test", 2},
      {"*.Wild.Test", 2},
      {"www.one.test", 3},
      {"one.test", 3},
      {"*.one.test", 3},
      {"*.com", 4},
      {"w*.partial.test", 4},
      {"*", 4},
      {"*.*.star.test", 4},
      {"", 4},
      {"*.", 4},
      {"*..", 4},
  };
  NameTable table;
  for (const auto& each : patterns) table.add(each.pattern, each.certificate);
  const struct {
    std::string name;
    std::size_t expected;
  } cases[] = {
      {"first.test", 0},
      {"one.test", 1},
      {"ONE.test", 1},
      {"one.test.", 1},
      {"a.one.test", 1},
      {"www.one.test", 3},  // exact, though a certificate before it has the wildcard
      {"WWW.ONE.TEST.", 3},
      {"a.b.one.test", 0},  // a wildcard is one label
      {".one.test", 0},
      {"mixed.test", 2},
      {"x.wild.test", 2},
      {"wild.test", 0},
      {"example.com", 0},
      {"www.partial.test", 0},
      {"a.b.star.test", 0},
      {"nobody.test", 0},
      {"127.0.0.1", 0},
      {".", 0},
      {"..", 0},
      {std::string("one.test\0", 9), 0},
      {std::string("a\0b.one.test", 12), 1},  // whatever the label is
      {std::string(250, 'a') + ".one.test", 0},
      {std::string(60000, 'a'), 0},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(table.certificate_for(each.name), each.expected) << each.name;
  }
}

TEST(NameTable, HasTheFirstForNoName) {
  NameTable table;
  table.add("one.test", 1);
  EXPECT_EQ(table.certificate_for(""), 0u);
}

TEST(PolicyNames, HaveTheirTermsAtAnyDepth) {
  PolicyNames names;
  EXPECT_TRUE(names.empty());
  EXPECT_EQ(names.find("one.test"), 0u);
  EXPECT_TRUE(names.add("one.test", 1));
  EXPECT_TRUE(names.add("*.one.test", 2));
  EXPECT_TRUE(names.add("*.a.one.test", 3));
  EXPECT_TRUE(names.add("b.a.one.test", 4));
  EXPECT_FALSE(names.add("one.test", 5));
  EXPECT_FALSE(names.add("*.one.test", 5));
  EXPECT_FALSE(names.empty());
  const struct {
    std::string name;
    std::size_t expected;
  } cases[] = {
      {"one.test", 1},
      {"ONE.Test.", 1},
      {"a.one.test", 2},
      {"x.y.z.one.test", 2},
      {"B.one.test.", 2},
      {"c.a.one.test", 3},
      {"c.b.a.one.test", 3},
      {"b.a.one.test", 4},
      {".one.test", 0},
      {"xone.test", 0},
      {"test", 0},
      {"", 0},
      {".", 0},
      {"one.test..", 0},
      {std::string(246, 'x') + ".one.test", 2},
      {std::string(247, 'x') + ".one.test", 0},
  };
  for (const auto& each : cases) EXPECT_EQ(names.find(each.name), each.expected) << each.name;
}

}  // namespace
}  // namespace tls::test
