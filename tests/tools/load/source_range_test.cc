// Source addresses from text: ranges of both families, and what is none.
#include "tools/load/source_range.hh"

#include <gtest/gtest.h>

namespace load {
namespace {

std::vector<std::string> texts(std::string_view range) {
  std::vector<std::string> made;
  const auto sources = parse_sources(range);
  if (!sources) return {"error: " + sources.error()};
  for (const tools::Address& source : *sources) made.push_back(to_text(source));
  return made;
}

using Texts = std::vector<std::string>;

TEST(Sources, AreOneAddressOrARange) {
  EXPECT_EQ(texts("10.0.0.7"), Texts{"10.0.0.7:0"});
  EXPECT_EQ(texts("10.0.0.255-10.0.1.1"), (Texts{"10.0.0.255:0", "10.0.1.0:0", "10.0.1.1:0"}));
  EXPECT_EQ(texts("::1"), Texts{"[::1]:0"});
  EXPECT_EQ(texts("fd00::ffff-fd00::1:1"),
            (Texts{"[fd00::ffff]:0", "[fd00::1:0]:0", "[fd00::1:1]:0"}));
}

TEST(Sources, EndWhereAddressesDo) {
  EXPECT_EQ(texts("255.255.255.255"), Texts{"255.255.255.255:0"});
  EXPECT_EQ(texts("255.255.255.254-255.255.255.255").size(), 2u);
}

TEST(Sources, AreBounded) {
  EXPECT_EQ(texts("10.0.0.0-10.0.15.255").size(), kSourcesMax);
  EXPECT_EQ(texts("10.0.0.0-10.0.16.0"),
            Texts{"error: more than 4096 addresses: 10.0.0.0-10.0.16.0"});
  EXPECT_EQ(texts("::-ffff::"), Texts{"error: more than 4096 addresses: ::-ffff::"});
}

TEST(Sources, AreRefusedWhereTheyAreNone) {
  for (const char* text : {"", "-", "x", "10.0.0", "10.0.0.1-", "-10.0.0.1", "10.0.0.1-::1",
                           "10.0.0.1:80", "[::1]", "10.0.0.1-10.0.0.2-10.0.0.3"}) {
    EXPECT_TRUE(texts(text).front().starts_with("error: not an IP address")) << text;
  }
  EXPECT_EQ(texts("10.0.0.2-10.0.0.1"),
            Texts{"error: the lowest address comes first: 10.0.0.2-10.0.0.1"});
}

}  // namespace
}  // namespace load
