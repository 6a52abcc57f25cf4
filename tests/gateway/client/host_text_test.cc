// How addresses are written, and words in place of them.
#include "gateway/client/host_text.hh"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "tests/uring/dice.hh"

namespace {

using gateway::HostText;

TEST(HostText, WritesIpv4AsTheSystemDoes) {
  for_each_seed(200, [](std::uint64_t seed) {
    Dice dice(seed);
    std::array<std::uint8_t, 4> octets;
    for (auto& octet : octets) octet = static_cast<std::uint8_t>(dice.between(0, 255));
    char expected[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, octets.data(), expected, sizeof expected);
    EXPECT_EQ(HostText::of_ipv4(octets).text(), expected);
  });
}

// Every pattern of groups that are zero.
TEST(HostText, WritesIpv6AsTheSystemDoes) {
  for_each_seed(256 * 20, [](std::uint64_t seed) {
    Dice dice(seed);
    std::array<std::uint8_t, 16> octets{};
    for (unsigned group = 0; group < 8; ++group) {
      if ((seed >> group & 1) == 0) continue;
      const auto value = dice.of_any_size(1, 0xffff);
      octets[2 * group] = static_cast<std::uint8_t>(value >> 8);
      octets[2 * group + 1] = static_cast<std::uint8_t>(value & 0xff);
    }
    char expected[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, octets.data(), expected, sizeof expected);
    EXPECT_EQ(HostText::of_ipv6(octets).text(), expected);
  });
}

TEST(HostText, WritesTheShortestAndTheLongest) {
  const std::array<std::uint8_t, 4> none = {0, 0, 0, 0};
  EXPECT_EQ(HostText::of_ipv4(none).text(), "0.0.0.0");
  const std::array<std::uint8_t, 4> all = {255, 255, 255, 255};
  EXPECT_EQ(HostText::of_ipv4(all).text(), "255.255.255.255");
  for (const char* const text :
       {"::", "::1", "2001:db8::1", "::ffff:192.0.2.7", "2001:db8:1111:2222:3333:4444:5555:6666"}) {
    std::array<std::uint8_t, 16> octets;
    ASSERT_EQ(inet_pton(AF_INET6, text, octets.data()), 1);
    EXPECT_EQ(HostText::of_ipv6(octets).text(), text);
  }
}

TEST(HostText, IsACopyOfAWord) {
  std::string word = "unix";
  const HostText host(word);
  const HostText copy = host;
  word = "-";
  EXPECT_EQ(copy.text(), "unix");
}

}  // namespace
