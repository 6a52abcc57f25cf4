// The scanners against their definitions, byte by byte, at every place within a lane.
#include "proto/http/syntax.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

constexpr std::size_t kAcrossLanes = 40;

// Expects a scanner to stop at a byte exactly where that byte is not allowed, wherever it stands.
// The text is of exact size, so that ASan sees a read past its end.
template <class Scan, class IsAllowed>
void expect_stops(char filler, Scan scan, IsAllowed is_allowed) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < kAcrossLanes; ++at) {
      std::vector<char> text(kAcrossLanes, filler);
      text[at] = static_cast<char>(byte);
      EXPECT_EQ(scan(std::string_view(text.data(), text.size())),
                is_allowed(byte) ? kAcrossLanes : at)
          << "byte " << byte << " at " << at;
    }
  }
}

TEST(Syntax, TokensAreThoseOfRfc9110) {
  const std::string allowed =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  expect_stops(
      'a', [](std::string_view text) { return http::kTokenBytes.prefix(text); },
      [&](int byte) { return byte != 0 && allowed.find(static_cast<char>(byte)) != allowed.npos; });
}

TEST(Syntax, TargetsAreVisibleAsciiWithoutNumberSign) {
  expect_stops(
      '/', [](std::string_view text) { return http::kTargetBytes.prefix(text); },
      [](int byte) { return byte >= 0x21 && byte <= 0x7e && byte != '#'; });
}

TEST(Syntax, TextIsEverythingButControlBytes) {
  expect_stops(
      ' ', [](std::string_view text) { return http::text_prefix(text); },
      [](int byte) { return byte == '\t' || (byte >= 0x20 && byte != 0x7f); });
}

TEST(Syntax, ScannersTakeTextOfAnyLength) {
  for (std::size_t size = 0; size < 3 * 16; ++size) {
    const std::vector<char> text(size, 'x');
    EXPECT_EQ(http::kTokenBytes.prefix({text.data(), size}), size);
    EXPECT_EQ(http::text_prefix({text.data(), size}), size);
  }
}

TEST(Syntax, ComparesAsciiLettersOnlyWithoutCase) {
  EXPECT_TRUE(http::equals_ignoring_case("Host", "hOST"));
  EXPECT_TRUE(http::equals_ignoring_case("", ""));
  EXPECT_FALSE(http::equals_ignoring_case("Host", "Hos"));
  EXPECT_FALSE(http::equals_ignoring_case("a@", "a`"));
  EXPECT_FALSE(http::equals_ignoring_case("a[", "a{"));
  EXPECT_FALSE(http::equals_ignoring_case("\xc4", "\xe4"));
}

// At every place of texts that a comparison by words takes in one, two and three of these, between
// neighbours that lie at the borders of the capitals.
TEST(Syntax, ComparesWithoutCaseWhateverTheLength) {
  for (const std::size_t size : {1, 7, 8, 9, 16, 17}) {
    for (const char neighbour : {'k', '@', 'A', 'Z', '[', '\x7f', '\xc1', '\xff'}) {
      std::string left(size, neighbour);
      std::string right(size, http::to_lower(neighbour));
      for (std::size_t at = 0; at < size; ++at) {
        for (int one = 0; one < 256; ++one) {
          left[at] = static_cast<char>(one);
          for (const int other : {one, one ^ 0x20, one ^ 0x80, one + 1, one - 1}) {
            right[at] = static_cast<char>(other);
            const bool same = http::to_lower(left[at]) == http::to_lower(right[at]);
            ASSERT_EQ(http::equals_ignoring_case(left, right), same)
                << size << " bytes, at " << at << ": " << one << " and " << other;
          }
        }
        left[at] = neighbour;
        right[at] = http::to_lower(neighbour);
      }
    }
  }
}

TEST(Syntax, TrimsSpacesAndTabsAlone) {
  EXPECT_EQ(http::trim(" \ta b\t "), "a b");
  EXPECT_EQ(http::trim(" \t "), "");
  EXPECT_EQ(http::trim("\ra"), "\ra");
}

}  // namespace
