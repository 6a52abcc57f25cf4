#include "gateway/upstream/pool_line.hh"

#include <gtest/gtest.h>

#include <string>

#include "tests/uring/simulation.hh"

namespace gateway {
namespace {

class Waiting final : public InLine {
 public:
  Waiting(std::string name, int& free, std::string& served)
      : name_(std::move(name)), free_(free), served_(served) {}

  bool takes_any() const override { return !is_choosy; }
  bool try_now() override {
    if (free_ == 0 || is_choosy) return false;
    --free_;
    served_ += name_;
    return true;
  }

  bool is_choosy = false;  // it takes nothing of what is free

 private:
  std::string name_;
  int& free_;
  std::string& served_;
};

class PoolLineTest : public testing::Test {
 protected:
  uring::Held<PoolLine> make(std::size_t shard, uring::Bell* bell = nullptr) {
    return uring::Held<PoolLine>::make(simulation_.loop, state_, shard, bell);
  }

  Simulation simulation_{1};
  std::shared_ptr<PoolState> state_ = std::make_shared<PoolState>();
  int requests_free_ = 0;
  int upgrades_free_ = 0;
  std::string served_;
};

TEST_F(PoolLineTest, ServesFirstWhoHasComeFirst) {
  const auto line = make(0);
  Waiting a("a", requests_free_, served_);
  Waiting b("b", requests_free_, served_);
  Waiting c("c", requests_free_, served_);
  for (Waiting* one : {&a, &b, &c}) line->join(*one, Purpose::kRequest);
  EXPECT_TRUE(state_->has_line(Purpose::kRequest));
  requests_free_ = 2;
  line->freed();
  EXPECT_EQ(served_, "ab");
  line->leave(c);
  line->leave(a);
  EXPECT_FALSE(state_->has_line(Purpose::kRequest));
  requests_free_ = 1;
  line->freed();
  EXPECT_EQ(served_, "ab");
}

TEST_F(PoolLineTest, LetsRequestsPassUpgradesThatMustWait) {
  const auto line = make(0);
  Waiting upgrade("u", upgrades_free_, served_);
  Waiting request("r", requests_free_, served_);
  line->join(upgrade, Purpose::kUpgrade);
  line->join(request, Purpose::kRequest);
  requests_free_ = 5;
  line->freed();
  EXPECT_EQ(served_, "r");
  upgrades_free_ = 1;
  line->serve();
  EXPECT_EQ(served_, "ru");
}

TEST_F(PoolLineTest, LetsOthersHaveWhatTheFirstDoesNotTake) {
  const auto line = make(0);
  Waiting choosy("c", requests_free_, served_);
  Waiting a("a", requests_free_, served_);
  Waiting b("b", requests_free_, served_);
  choosy.is_choosy = true;
  for (Waiting* one : {&choosy, &a, &b}) line->join(*one, Purpose::kRequest);
  requests_free_ = 1;
  line->freed();
  EXPECT_EQ(served_, "a");
  requests_free_ = 2;
  choosy.is_choosy = false;
  line->freed();
  EXPECT_EQ(served_, "acb");
}

TEST_F(PoolLineTest, LooksAgainThoughNobodyTells) {
  const auto line = make(0);
  Waiting waiter("a", requests_free_, served_);
  line->join(waiter, Purpose::kRequest);
  requests_free_ = 1;
  EXPECT_TRUE(simulation_.turn_until([&] { return served_ == "a"; }));
}

TEST_F(PoolLineTest, KeepsNobodyWaitingForABellThatIsNotThere) {
  const auto one = make(0);
  const auto other = make(1);
  Waiting first("a", requests_free_, served_);
  Waiting second("b", requests_free_, served_);
  one->join(first, Purpose::kRequest);
  other->join(second, Purpose::kRequest);
  requests_free_ = 1;
  other->freed();
  EXPECT_EQ(served_, "b");
  one->leave(first);
}

}  // namespace
}  // namespace gateway
