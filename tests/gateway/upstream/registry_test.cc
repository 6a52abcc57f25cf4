// Who is the same server, and for how long.
#include "gateway/upstream/registry.hh"

#include <gtest/gtest.h>

namespace {

using gateway::Registry;

TEST(Registry, KnowsAServerByThePoolAndItsText) {
  Registry registry;
  const auto one = registry.server("app", "10.0.0.1:80");
  EXPECT_EQ(registry.server("app", "10.0.0.1:80"), one);
  EXPECT_NE(registry.server("app", "10.0.0.2:80"), one);
  EXPECT_NE(registry.server("other", "10.0.0.1:80"), one);
}

TEST(Registry, GoesOnWithWhatSomebodyHolds) {
  Registry registry;
  auto earlier = registry.server("app", "10.0.0.1:80");
  earlier->begin();
  const auto later = registry.server("app", "10.0.0.1:80");
  earlier.reset();
  EXPECT_EQ(later->count(), 1u);
  later->end();
  EXPECT_EQ(later->count(), 0u);
}

TEST(Registry, ForgetsWhomNobodyHolds) {
  Registry registry;
  for (int server = 0; server < 100; ++server) {
    (void)registry.server("app", "10.0.0.1:" + std::to_string(server));
  }
  EXPECT_EQ(registry.size(), 0u);
  const auto again = registry.server("app", "10.0.0.1:1");
  EXPECT_EQ(again->count(), 0u);
  EXPECT_EQ(registry.size(), 1u);
}

}  // namespace
