#include "gateway/upstream/address_memory.hh"

#include <gtest/gtest.h>

namespace {

using gateway::AddressMemory;
using Order = std::vector<std::size_t>;

class AddressMemoryTest : public testing::Test {
 protected:
  AddressMemoryTest() {
    for (std::uint16_t port = 1; port <= 3; ++port) addresses_.push_back(address(port));
  }

  static gateway::config::Address address(std::uint16_t port) {
    return *gateway::config::literal_address({"127.0.0.1", port});
  }
  Order order() const {
    const auto order = memory_.order(addresses_, now_, std::pmr::get_default_resource());
    return {order.begin(), order.end()};
  }
  bool fail(std::size_t index) { return memory_.note_failure(addresses_, index, now_); }
  bool succeed(std::size_t index) { return memory_.note_success(addresses_[index]); }
  void begin(std::size_t index) { memory_.note_attempt(addresses_[index], now_); }
  void pass(std::chrono::milliseconds time) { now_ += time; }

  std::vector<gateway::config::Address> addresses_;
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
  addresses_.resize(1);
  EXPECT_FALSE(fail(0));
  begin(0);
  EXPECT_FALSE(succeed(0));
  EXPECT_EQ(order(), (Order{0}));
}

TEST_F(AddressMemoryTest, KnowsAnAddressWhereverItStands) {
  fail(0);
  std::swap(addresses_[0], addresses_[2]);
  EXPECT_EQ(order(), (Order{0, 1, 2}));
  addresses_.push_back(address(9));
  EXPECT_EQ(order(), (Order{0, 1, 3, 2}));
}

TEST_F(AddressMemoryTest, ForgetsWhereTheServerIsNoMore) {
  fail(0);
  fail(1);
  const gateway::config::Address gone = addresses_[0];
  addresses_[0] = address(9);
  memory_.keep_only(addresses_);
  addresses_[0] = gone;
  EXPECT_EQ(order(), (Order{0, 2, 1}));
}

}  // namespace
