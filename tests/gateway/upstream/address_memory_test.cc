#include "gateway/upstream/address_memory.hh"

#include <gtest/gtest.h>

namespace {

using gateway::AddressMemory;
using Order = std::vector<std::size_t>;

// One pool of two servers: the first has so many addresses, the other one.
class AddressMemoryTest : public testing::Test {
 protected:
  AddressMemoryTest() : config_(make_config(3)), memory_(config_) {}

  static gateway::config::Config make_config(std::size_t count) {
    gateway::config::Config config;
    gateway::config::Pool pool{.name = "app"};
    pool.servers.push_back({.text = "first:1", .host = "first", .index = 0});
    pool.servers.push_back({.text = "second:1", .host = "second", .index = 1});
    pool.servers[0].addresses.resize(count);
    pool.servers[1].addresses.resize(1);
    config.pools.push_back(std::move(pool));
    return config;
  }

  const gateway::config::Server& server(std::size_t index = 0) const {
    return config_.pools[0].servers[index];
  }
  Order order() const {
    const auto order = memory_.order(server(), now_, std::pmr::get_default_resource());
    return {order.begin(), order.end()};
  }
  bool fail(std::size_t address) { return memory_.note_failure(server(), address, now_); }
  bool succeed(std::size_t address) { return memory_.note_success(server(), address); }
  void begin(std::size_t address) { memory_.note_attempt(server(), address, now_); }
  void pass(std::chrono::milliseconds time) { now_ += time; }

  gateway::config::Config config_;
  AddressMemory memory_;
  uring::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(AddressMemoryTest, TriesAllInTheOrderOfTheConfigurationWhereNoneHasFailed) {
  begin(0);
  EXPECT_EQ(order(), (Order{0, 1, 2}));
  EXPECT_FALSE(succeed(0));
  EXPECT_EQ(order(), (Order{0, 1, 2}));
}

TEST_F(AddressMemoryTest, TriesWhatHasFailedLast) {
  EXPECT_TRUE(fail(0));
  EXPECT_EQ(order(), (Order{1, 2, 0}));
  EXPECT_FALSE(fail(0)) << "it is known";
}

TEST_F(AddressMemoryTest, TriesOfThoseThatHaveFailedTheEarliestFirst) {
  fail(1);
  pass(std::chrono::milliseconds(1));
  fail(0);
  pass(std::chrono::milliseconds(1));
  EXPECT_EQ(order(), (Order{2, 1, 0}));
  fail(2);
  EXPECT_EQ(order(), (Order{1, 0, 2}));
}

TEST_F(AddressMemoryTest, ForgetsAFailureAfterItsTime) {
  fail(0);
  pass(AddressMemory::kAvoided - std::chrono::milliseconds(1));
  EXPECT_EQ(order(), (Order{1, 2, 0}));
  pass(std::chrono::milliseconds(1));
  EXPECT_EQ(order(), (Order{0, 1, 2}));
}

TEST_F(AddressMemoryTest, LetsOneRequestFindOutForAll) {
  fail(0);
  pass(AddressMemory::kAvoided);
  EXPECT_EQ(order(), (Order{0, 1, 2}));
  begin(0);
  EXPECT_EQ(order(), (Order{1, 2, 0})) << "for the others";
  EXPECT_FALSE(fail(0)) << "it is known";
  EXPECT_EQ(order(), (Order{1, 2, 0}));
  pass(AddressMemory::kAvoided);
  begin(0);
  EXPECT_TRUE(succeed(0));
  EXPECT_EQ(order(), (Order{0, 1, 2}));
}

TEST_F(AddressMemoryTest, RemembersNothingOfTheOnlyAddress) {
  EXPECT_FALSE(memory_.note_failure(server(1), 0, now_));
  memory_.note_attempt(server(1), 0, now_);
  EXPECT_FALSE(memory_.note_success(server(1), 0));
  EXPECT_EQ(memory_.order(server(1), now_, std::pmr::get_default_resource()).size(), 1u);
  EXPECT_EQ(order(), (Order{0, 1, 2}));
}

}  // namespace
