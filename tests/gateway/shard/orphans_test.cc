// Which routes of two generations are the same one.
#include "gateway/shard/orphans.hh"

#include <gtest/gtest.h>

namespace {

using gateway::carries_on;
using gateway::identity_of;
using gateway::config::Route;

TEST(Orphans, KnowARouteByItsName) {
  const Route chat{.name = "chat", .hosts = {"a.test"}, .path = "/ws"};
  EXPECT_EQ(identity_of(chat), identity_of({.name = "chat", .hosts = {"b.test"}, .path = "/"}));
  EXPECT_NE(identity_of(chat), identity_of({.name = "talk", .hosts = {"a.test"}, .path = "/ws"}));
  for (const char* name : {"route-", "route-x", "route-1x", "routes-1"}) {
    EXPECT_EQ(identity_of({.name = name, .path = "/a"}), identity_of({.name = name, .path = "/b"}));
  }
}

TEST(Orphans, KnowARouteWithoutANameOfItsOwnByWhereItLeads) {
  const Route second{.name = "route-2", .hosts = {"a.test", "b.test"}, .path = "/ws"};
  const Route first{.name = "route-1", .hosts = {"b.test", "a.test"}, .path = "/ws"};
  EXPECT_EQ(identity_of(second), identity_of(first)) << "the one before it has gone";
  EXPECT_NE(identity_of(second), identity_of({.name = "route-2", .path = "/ws"}));
  EXPECT_NE(identity_of(second),
            identity_of({.name = "route-2", .hosts = {"a.test", "b.test"}, .path = "/"}));
  EXPECT_NE(identity_of({.name = "route-1", .path = ""}), identity_of({.name = "ws", .path = ""}));
}

TEST(Orphans, KnowWhereAnOpenWebSocketCarriesOn) {
  const Route chat{.name = "chat", .path = "/ws"};
  const Route second{.name = "route-2", .path = "/ws"};
  EXPECT_TRUE(carries_on({.name = "chat", .path = "/talk"}, chat));
  EXPECT_FALSE(carries_on({.name = "talk", .path = "/ws"}, chat));
  EXPECT_FALSE(
      carries_on({.name = "chat", .path = "/ws", .answer = gateway::config::Answer{}}, chat));
  EXPECT_TRUE(carries_on({.name = "route-1", .path = "/ws"}, second));
  EXPECT_FALSE(carries_on({.name = "route-2", .path = "/"}, second))
      << "the one before it has gone";
  EXPECT_FALSE(carries_on(chat, second)) << "it has a name now";
}

}  // namespace
