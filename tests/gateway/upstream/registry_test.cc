// Who is the same server, and for how long.
#include "gateway/upstream/registry.hh"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

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

TEST(Registry, CountsWhatIsKeptToAServerExactlyWhoeverKeepsIt) {
  gateway::ServerState state;
  std::atomic<std::uint32_t> kept{0};
  std::atomic<bool> too_many{false};
  const auto keep_some = [&] {
    for (int time = 0; time < 20'000; ++time) {
      if (!state.begin_keeping(3)) continue;
      if (++kept > 3) too_many = true;
      --kept;
      state.end_keeping();
    }
  };
  std::thread one(keep_some);
  std::thread other(keep_some);
  keep_some();
  one.join();
  other.join();
  EXPECT_FALSE(too_many);
  EXPECT_EQ(state.kept, 0u);
  for (int time = 0; time < 3; ++time) EXPECT_TRUE(state.begin_keeping(3));
  EXPECT_FALSE(state.begin_keeping(3));
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
