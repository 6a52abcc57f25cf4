// Ranges of addresses, and whom they make trusted.
#include "gateway/config/network.hh"

#include <gtest/gtest.h>

#include <vector>

#include "gateway/config/config.hh"

namespace gateway::config {
namespace {

Address address(const std::string& host) {
  return host == "unix" ? *unix_address("/run/peer.sock") : *literal_address({host, 1});
}

TEST(Network, ContainsTheAddressesOfItsPrefix) {
  struct Case {
    const char* network;
    const char* address;
    bool expected;
  };
  const std::vector<Case> cases = {
      {"10.0.0.0/8", "10.0.0.0", true},
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},
      {"10.0.0.0/8", "::ffff:11.1.2.3", false},
      {"10.0.0.0/8", "::10.1.2.3", false},
      {"10.128.0.0/9", "10.127.255.255", false},
      {"10.128.0.0/9", "10.128.0.1", true},
      {"192.0.2.6/31", "192.0.2.7", true},
      {"192.0.2.6/31", "192.0.2.8", false},
      {"192.0.2.7/32", "192.0.2.7", true},
      {"192.0.2.7/32", "192.0.2.6", false},
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.7", "::ffff:192.0.2.7", true},
      {"192.0.2.7", "192.0.2.8", false},
      {"0.0.0.0/0", "255.255.255.255", true},
      {"0.0.0.0/0", "::ffff:1.2.3.4", true},
      {"0.0.0.0/0", "::1", false},
      {"::ffff:10.0.0.0/104", "10.1.2.3", true},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/32", "2001:db9::", false},
      {"2001:db8:8000::/33", "2001:db8:7fff::", false},
      {"2001:db8:8000::/33", "2001:db8:8000::1", true},
      {"::1/128", "::1", true},
      {"::1/128", "::2", false},
      {"::1", "::1", true},
      {"::/0", "2001:db8::1", true},
      {"::/0", "1.2.3.4", false},
      {"::/0", "::ffff:1.2.3.4", false},
      {"::/0", "unix", false},
      {"0.0.0.0/0", "unix", false},
  };
  for (const Case& one : cases) {
    const auto network = parse_network(one.network);
    ASSERT_TRUE(network) << one.network << ": " << network.error();
    EXPECT_EQ(network->contains(address(one.address)), one.expected)
        << one.network << ' ' << one.address;
  }
}

TEST(Network, ReadsBackFromItsText) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "10.0.0.1", "::/0", "2001:db8::/32", "::1"}) {
    const auto network = parse_network(text);
    ASSERT_TRUE(network) << text;
    EXPECT_EQ(network->text(), text);
  }
  EXPECT_EQ(parse_network("10.0.0.1/32")->text(), "10.0.0.1");
  EXPECT_EQ(parse_network("::1/128")->text(), "::1");
  EXPECT_EQ(parse_network("::ffff:10.0.0.0/104")->text(), "10.0.0.0/8");
  EXPECT_EQ(parse_network("2001:DB8:0::/48")->text(), "2001:db8::/48");
}

TEST(Network, SaysWhatIsWrong) {
  const std::string no_address = "is no IP address or network, such as \"10.0.0.0/8\" or \"::1\"";
  struct Case {
    const char* text;
    std::string error;
  };
  const std::vector<Case> cases = {
      {"", no_address},
      {"10.0.0", no_address},
      {"10.0.0.0.0/8", no_address},
      {"[::1]", no_address},
      {"::1%lo", no_address},
      {"localhost", no_address},
      {"/8", no_address},
      {"10.0.0.0/33", "has a prefix that is not between 0 and 32"},
      {"10.0.0.0/", "has a prefix that is not between 0 and 32"},
      {"10.0.0.0/-1", "has a prefix that is not between 0 and 32"},
      {"10.0.0.0/8/8", "has a prefix that is not between 0 and 32"},
      {"10.0.0.0/255.0.0.0", "has a prefix that is not between 0 and 32"},
      {"10.0.0.0/99999999999", "has a prefix that is not between 0 and 32"},
      {"::/129", "has a prefix that is not between 0 and 128"},
      {"10.0.0.1/8", "has bits beyond its prefix: write \"10.0.0.0/8\""},
      {"0.0.0.1/0", "has bits beyond its prefix: write \"0.0.0.0/0\""},
      {"192.0.2.7/31", "has bits beyond its prefix: write \"192.0.2.6/31\""},
      {"2001:db8::1/64", "has bits beyond its prefix: write \"2001:db8::/64\""},
      {"::1/127", "has bits beyond its prefix: write \"::/127\""},
  };
  for (const Case& one : cases) {
    const auto network = parse_network(one.text);
    ASSERT_FALSE(network) << one.text;
    EXPECT_EQ(network.error(), one.error) << one.text;
  }
}

TEST(TrustedProxies, AreThoseOfTheirNetworks) {
  TrustedProxies proxies;
  EXPECT_FALSE(proxies.contain(address("127.0.0.1")));
  EXPECT_FALSE(proxies.contain(address("unix")));
  proxies.networks = {*parse_network("10.0.0.0/8"), *parse_network("::1")};
  EXPECT_TRUE(proxies.contain(address("10.9.9.9")));
  EXPECT_TRUE(proxies.contain(address("::1")));
  EXPECT_FALSE(proxies.contain(address("127.0.0.1")));
  EXPECT_FALSE(proxies.contain(address("unix")));
  proxies.unix_sockets = true;
  EXPECT_TRUE(proxies.contain(address("unix")));
}

}  // namespace
TEST(Address, IsTheSameByFamilyAddressAndPort) {
  const auto literal = [](const char* host, std::uint16_t port) {
    return *literal_address({host, port});
  };
  EXPECT_EQ(literal("10.0.0.1", 80), literal("10.0.0.1", 80));
  EXPECT_NE(literal("10.0.0.1", 80), literal("10.0.0.1", 81));
  EXPECT_NE(literal("10.0.0.1", 80), literal("10.0.0.2", 80));
  EXPECT_EQ(literal("::1", 80), literal("0:0::1", 80));
  EXPECT_NE(literal("::1", 80), literal("::2", 80));
  EXPECT_NE(literal("::1", 80), literal("::1", 81));
  EXPECT_NE(literal("::ffff:10.0.0.1", 80), literal("10.0.0.1", 80));
  EXPECT_NE(literal("fe80::1%lo", 80), literal("fe80::1", 80));
  EXPECT_EQ(*unix_address("/run/a.sock"), *unix_address("/run/a.sock"));
  EXPECT_NE(*unix_address("/run/a.sock"), *unix_address("/run/a.sock2"));
}

}  // namespace gateway::config
