// Who a client is: as its socket knows, and as a PROXY header tells.
#include "gateway/client/peer.hh"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/uring/simulator.hh"

namespace {

using gateway::Peer;
using proxy::Endpoints;
using proxy::Family;

Endpoints::Octets octets(const char* text) {
  Endpoints::Octets octets{};
  const bool is_ipv6 = std::string_view(text).find(':') != std::string_view::npos;
  EXPECT_EQ(inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, octets.data()), 1) << text;
  return octets;
}

TEST(Peer, IsNobodyAtFirst) {
  const Peer peer;
  EXPECT_EQ(peer.host().text(), "-");
  EXPECT_EQ(peer.port(), 0);
  EXPECT_FALSE(peer.octets().has_value());
}

TEST(Peer, IsWhomAHeaderTells) {
  struct Case {
    const char* name;
    Endpoints told;
    const char* host;
    Endpoints expected;
  };
  const auto ends = [](Family family, const char* source, const char* destination) {
    return Endpoints{.family = family,
                     .source = octets(source),
                     .destination = octets(destination),
                     .source_port = 4711,
                     .destination_port = 443};
  };
  const std::vector<Case> cases = {
      {"IPv4", ends(Family::kIpv4, "192.0.2.7", "192.0.2.1"), "192.0.2.7",
       ends(Family::kIpv4, "192.0.2.7", "192.0.2.1")},
      {"IPv6", ends(Family::kIpv6, "2001:db8::7", "2001:db8::1"), "2001:db8::7",
       ends(Family::kIpv6, "2001:db8::7", "2001:db8::1")},
      {"IPv4 that is written as IPv6", ends(Family::kIpv6, "::ffff:192.0.2.7", "::ffff:192.0.2.1"),
       "192.0.2.7", ends(Family::kIpv4, "192.0.2.7", "192.0.2.1")},
      {"one of the two", ends(Family::kIpv6, "::ffff:192.0.2.7", "2001:db8::1"), "192.0.2.7",
       ends(Family::kIpv6, "::ffff:192.0.2.7", "2001:db8::1")},
      {"a Unix socket", {.family = Family::kUnix}, "unix", {.family = Family::kUnix}},
  };
  SimulatedKernel kernel(1, {.calm = true});
  SimulatedKernel::Stream stream;
  const int descriptor = kernel.open_stream(stream);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Peer peer;
    ASSERT_EQ(peer.learn(kernel, descriptor), 0);
    peer.learn(c.told);
    EXPECT_EQ(peer.host().text(), c.host);
    EXPECT_EQ(peer.port(), c.expected.source_port);
    EXPECT_EQ(peer.ends(kernel, descriptor), c.expected);
  }
  kernel.close(descriptor);
}

TEST(Peer, IsTheOtherEndOfItsSocketWhereNobodyTells) {
  SimulatedKernel kernel(1, {.calm = true});
  SimulatedKernel::Stream stream;
  const int descriptor = kernel.open_stream(stream);
  Peer peer;
  ASSERT_EQ(peer.learn(kernel, descriptor), 0);
  EXPECT_EQ(peer.host().text(), "127.0.0.1");
  EXPECT_EQ(peer.port(), descriptor);
  const Endpoints ends = peer.ends(kernel, descriptor);
  EXPECT_EQ(ends.family, Family::kIpv4);
  EXPECT_EQ(ends.source, octets("127.0.0.1"));
  EXPECT_EQ(ends.destination, octets("127.0.0.1"));
  EXPECT_EQ(ends.destination_port, 443);
  kernel.close(descriptor);
}

}  // namespace
