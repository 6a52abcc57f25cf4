// Whom lists of networks let in: the longest prefix decides.
#include "gateway/config/address_list.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::config {
namespace {

using Texts = std::vector<std::string_view>;

std::vector<Network> networks_of(const Texts& texts) {
  std::vector<Network> networks;
  for (const std::string_view text : texts) networks.push_back(parse_network(text).value());
  return networks;
}

AddressList list_of(const Texts& allowed, const Texts& denied) {
  return AddressList(networks_of(allowed), networks_of(denied), !allowed.empty());
}

bool admits(const AddressList& list, std::string_view address) {
  return list.admits(parse_network(address)->address);
}

TEST(AddressList, TheLongestPrefixDecides) {
  struct Case {
    Texts allowed;
    Texts denied;
    Texts in;
    Texts out;
  };
  const std::vector<Case> cases = {
      {{},
       {"10.0.0.0/8"},
       {"9.255.255.255", "11.0.0.0", "::", "a00::"},
       {"10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"}},
      {{"10.0.0.0/8"}, {}, {"10.0.0.0", "10.255.255.255"}, {"9.255.255.255", "11.0.0.0", "::1"}},
      // nginx: allow 10.0.0.0/8; deny all;
      {{"10.0.0.0/8"}, {"0.0.0.0/0", "::/0"}, {"10.1.2.3"}, {"192.0.2.1", "2001:db8::1"}},
      {{"10.0.0.0/8", "10.1.2.0/24"},
       {"10.1.0.0/16", "10.1.2.3"},
       {"10.0.255.255", "10.1.2.2", "10.1.2.4", "10.1.2.255", "10.2.0.0"},
       {"10.1.0.0", "10.1.1.255", "10.1.2.3", "10.1.3.0", "10.1.255.255"}},
      // Alike: the one that refuses.
      {{"10.0.0.0/8"}, {"10.0.0.0/8"}, {}, {"10.0.0.1"}},
      {{}, {"0.0.0.0/0"}, {"::", "::1", "ffff::"}, {"0.0.0.0", "255.255.255.255"}},
      {{}, {"::/0"}, {"0.0.0.0", "127.0.0.1"}, {"::", "::1", "ffff::"}},
      {{},
       {"255.255.255.255", "0.0.0.0"},
       {"255.255.255.254", "0.0.0.1"},
       {"255.255.255.255", "0.0.0.0"}},
      {{"2001:db8::/32"},
       {"2001:db8:1::/48"},
       {"2001:db8::1", "2001:db8:2::"},
       {"2001:db8:1::", "2001:db8:1:ffff::", "2001:db9::"}},
      {{},
       {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
       {"::"},
       {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}},
      // Ends that meet.
      {{"10.0.0.0/9"},
       {"10.128.0.0/9", "10.127.255.0/24"},
       {"10.0.0.0", "10.127.254.255"},
       {"10.127.255.255", "10.128.0.0", "11.0.0.0"}},
  };
  for (const Case& one : cases) {
    const AddressList list = list_of(one.allowed, one.denied);
    for (const std::string_view in : one.in) EXPECT_TRUE(admits(list, in)) << in;
    for (const std::string_view out : one.out) EXPECT_FALSE(admits(list, out)) << out;
  }
}

TEST(AddressList, LetsNobodyInWhereTheListOfThoseIsEmpty) {
  const AddressList list({}, {}, true);
  EXPECT_FALSE(admits(list, "10.0.0.1"));
  EXPECT_FALSE(list.admits_others());
  EXPECT_TRUE(AddressList({}, {}, false).admits_others());
}

// Against a search of all of them, one by one.
TEST(AddressList, SaysWhatASearchSays) {
  std::mt19937 random(7);
  for (unsigned round = 0; round < 200; ++round) {
    std::vector<Network> sides[2];
    for (unsigned n = 0; n < 40; ++n) {
      const auto bits = static_cast<unsigned>(random() % 9 + 24);
      const std::string text = std::to_string(10 + random() % 2) + ".0." +
                               std::to_string(random() % 3) + "." +
                               std::to_string((random() % 256) & (0xff00u >> (bits - 24) & 0xff));
      const auto network = parse_network(text + "/" + std::to_string(bits));
      ASSERT_TRUE(network) << text << "/" << bits;
      sides[random() % 2].push_back(*network);
    }
    const bool names_allowed = random() % 2 == 0;
    if (!names_allowed) sides[0].clear();
    const AddressList list(sides[0], sides[1], names_allowed);
    for (unsigned n = 0; n < 500; ++n) {
      const std::string text = std::to_string(10 + random() % 2) + ".0." +
                               std::to_string(random() % 4) + "." + std::to_string(random() % 256);
      const Octets address = parse_network(text)->address;
      int longest[2] = {-1, -1};
      for (unsigned side = 0; side < 2; ++side) {
        for (const Network& network : sides[side]) {
          if (network.contains(address))
            longest[side] = std::max(longest[side], static_cast<int>(network.prefix_bits));
        }
      }
      const bool none = longest[0] < 0 && longest[1] < 0;
      EXPECT_EQ(list.admits(address), none ? !names_allowed : longest[0] > longest[1]) << text;
    }
  }
}

}  // namespace
}  // namespace gateway::config
