#include "gateway/listening.hh"

#include <gtest/gtest.h>

#include "tests/gateway/plain_peer.hh"

namespace {

gateway::config::Address local(const std::string& host, std::uint16_t port) {
  return *gateway::config::literal_address({host, port});
}

TEST(ListeningSockets, OpensOneForEachShardAndClosesThem) {
  const std::uint16_t port = free_port();
  {
    gateway::ListeningSockets sockets;
    const auto opened = sockets.open(local("127.0.0.1", port), 3);
    ASSERT_TRUE(opened.has_value()) << opened.error();
    EXPECT_EQ(opened->size(), 3u);
    for (int client = 0; client < 10; ++client) PlainPeer::connect(port).send("x");
  }
  gateway::ListeningSockets again;
  EXPECT_TRUE(again.open(local("127.0.0.1", port), 1).has_value());
}

TEST(ListeningSockets, SaysWhichAddressIsInUseAndHowToFindByWhom) {
  const PlainListener other;
  gateway::ListeningSockets sockets;
  const auto opened = sockets.open(local("127.0.0.1", other.port()), 2);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error(), "cannot listen on 127.0.0.1:" + std::to_string(other.port()) +
                                ": Address already in use; another process has it: see 'ss -ltnp'");
}

// Sockets that share a port would take a part of the other's connections, in silence.
TEST(ListeningSockets, DoesNotShareAPortWithAnotherGateway) {
  const std::uint16_t port = free_port();
  gateway::ListeningSockets one;
  ASSERT_TRUE(one.open(local("127.0.0.1", port), 2).has_value());
  gateway::ListeningSockets other;
  const auto opened = other.open(local("127.0.0.1", port), 2);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("Address already in use"), std::string::npos) << opened.error();
}

TEST(ListeningSockets, SaysThatTheMachineDoesNotHaveTheAddress) {
  gateway::ListeningSockets sockets;
  const auto opened = sockets.open(local("192.0.2.1", free_port()), 1);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("this machine does not have that address"), std::string::npos)
      << opened.error();
}

}  // namespace
