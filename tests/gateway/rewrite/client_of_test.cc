// Whose a request is that came through proxies.
#include "gateway/rewrite/client_of.hh"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/gateway/rewrite/heads.hh"

namespace gateway {
namespace {

std::string text_of(const std::optional<config::Octets>& address) {
  return address ? config::Network{*address, 128}.text() : "nobody";
}

config::TrustedProxies proxies() {
  config::TrustedProxies trusted;
  for (const std::string_view text : {"10.0.0.0/8", "fd00::/8"})
    trusted.networks.push_back(config::parse_network(text).value());
  trusted.unix_sockets = true;
  return trusted;
}

std::string client(const std::string& fields, std::string_view peer = "10.0.0.1") {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  const http::RequestHead head = forward_test::parse_request(text);
  std::optional<config::Octets> from;
  if (!peer.empty()) from = config::parse_network(peer)->address;
  return text_of(client_of(head.fields, proto::as_bytes(text), from, proxies()));
}

TEST(AddressOfHop, ReadsEveryFormAndNothingElse) {
  struct Case {
    std::string_view hop;
    std::string_view expected;
  };
  for (const auto& [hop, expected] :
       std::vector<Case>{{"192.0.2.7", "192.0.2.7"},
                         {"192.0.2.7:17085", "192.0.2.7"},
                         {"2001:db8::1", "2001:db8::1"},
                         {"[2001:db8::1]", "2001:db8::1"},
                         {"[2001:db8::1]:443", "2001:db8::1"},
                         {"::ffff:192.0.2.7", "192.0.2.7"},
                         {"unknown", "nobody"},
                         {"_hidden", "nobody"},
                         {"", "nobody"},
                         {"192.0.2.7:", "nobody"},
                         {"192.0.2.7:http", "nobody"},
                         {"192.0.2.7:123456", "nobody"},
                         {"192.0.2.7/32", "nobody"},
                         {"192.0.2", "nobody"},
                         {"192.0.2.256", "nobody"},
                         {"[192.0.2.7]", "nobody"},
                         {"[2001:db8::1", "nobody"},
                         {"[2001:db8::1]443", "nobody"},
                         {"2001:db8::1%eth0", "nobody"},
                         {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", "nobody"}}) {
    EXPECT_EQ(text_of(address_of_hop(hop)), expected) << hop;
  }
}

TEST(ClientOf, IsTheNearestHopThatIsNoTrustedProxy) {
  struct Case {
    std::string fields;
    std::string_view expected;
  };
  std::string hops = "X-Forwarded-For: 192.0.2.7";
  for (unsigned n = 0; n < 200; ++n) hops += ", 10.0.0." + std::to_string(n);
  for (const auto& [fields, expected] : std::vector<Case>{
           {"", "10.0.0.1"},
           {"X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7"},
           {"X-Forwarded-For: 192.0.2.7:17085\r\n", "192.0.2.7"},
           // Who has begun the line does not hide what was added to it.
           {"X-Forwarded-For: \", 192.0.2.7\r\n", "192.0.2.7"},
           {"X-Forwarded-For: \"10.0.0.9, 192.0.2.7, 10.0.0.2\r\n", "192.0.2.7"},
           {"Forwarded: for=\", for=192.0.2.7\r\n", "192.0.2.7"},
           {"Forwarded: x=\", for=\"[2001:db8::1]:1\";by=\"_x\"\r\n", "2001:db8::1"},
           {"X-Forwarded-For: [2001:db8::1]:443\r\n", "2001:db8::1"},
           {"X-Forwarded-For: 198.51.100.1, 192.0.2.7, 10.9.9.9\r\n", "192.0.2.7"},
           {"X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7"},
           {"X-Forwarded-For: 198.51.100.1, unknown\r\n", "10.0.0.1"},
           {"X-Forwarded-For: 198.51.100.1, unknown, 10.9.9.9\r\n", "10.9.9.9"},
           {"X-Forwarded-For: 10.2.2.2, 10.3.3.3\r\n", "10.2.2.2"},
           {"X-Forwarded-For: ,, 192.0.2.7 ,\r\n", "192.0.2.7"},
           {"X-Forwarded-For:\r\n", "10.0.0.1"},
           {hops + "\r\n", "10.0.0.136"},
           {"Forwarded: for=192.0.2.7\r\n", "192.0.2.7"},
           {"Forwarded: proto=http;For=\"[2001:db8::1]:4711\";by=203.0.113.43\r\n", "2001:db8::1"},
           {"Forwarded: for=198.51.100.1, for=192.0.2.7;host=\"a,b;c\", for=10.1.1.1\r\n",
            "192.0.2.7"},
           {"Forwarded: for=_hidden\r\n", "10.0.0.1"},
           {"Forwarded: by=192.0.2.7\r\n", "10.0.0.1"},
           {"Forwarded: for=\"192.0.2.7\r\n", "10.0.0.1"},
           {"Forwarded: for=192.0.2.9\r\nX-Forwarded-For: ,\r\n", "192.0.2.9"},
           {"Forwarded: for=192.0.2.9\r\nX-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7"}}) {
    EXPECT_EQ(client(fields), expected) << fields;
  }
}

TEST(ClientOf, MayBeNobodyBehindAUnixSocket) {
  EXPECT_EQ(client("", ""), "nobody");
  EXPECT_EQ(client("X-Forwarded-For: 192.0.2.7\r\n", ""), "192.0.2.7");
}

}  // namespace
}  // namespace gateway
