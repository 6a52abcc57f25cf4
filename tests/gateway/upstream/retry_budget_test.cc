#include "gateway/upstream/retry_budget.hh"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uring::Clock::time_point kStart{std::chrono::hours(1000)};

int withdraw_all(RetryBudget& budget, const config::RetryBudget& terms,
                 uring::Clock::time_point now) {
  int granted = 0;
  while (granted < 10'000 && budget.withdraw(terms, now)) ++granted;
  return granted;
}

TEST(RetryBudget, HasSoManyInASecondAndAShareOfTheRequests) {
  const config::RetryBudget terms{.share = 20, .per_second = 10};
  RetryBudget budget;
  EXPECT_EQ(withdraw_all(budget, terms, kStart), 10);
  EXPECT_EQ(withdraw_all(budget, terms, kStart + milliseconds(500)), 5);
  for (int i = 0; i < 100; ++i) budget.deposit(terms);
  EXPECT_EQ(withdraw_all(budget, terms, kStart + milliseconds(500)), 20);
  EXPECT_EQ(withdraw_all(budget, terms, kStart + seconds(60)), 10);
}

TEST(RetryBudget, KeepsNoMoreThanItMay) {
  const config::RetryBudget terms{.share = 100, .per_second = 1};
  RetryBudget budget;
  for (int i = 0; i < 100'000; ++i) budget.deposit(terms);
  EXPECT_EQ(withdraw_all(budget, terms, kStart), 1 + RetryBudget::kSavedMax);
  EXPECT_GT(budget.refused(), 0u);
}

TEST(RetryBudget, RefusesNothingWhereItIsOff) {
  const config::RetryBudget terms{.is_on = false};
  RetryBudget budget;
  EXPECT_EQ(withdraw_all(budget, terms, kStart), 10'000);
}

TEST(RetryBudget, IsExactOverThreads) {
  const config::RetryBudget terms{.share = 50, .per_second = 10};
  RetryBudget budget;
  for (int i = 0; i < 100; ++i) budget.deposit(terms);
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 1000; ++round) {
        if (budget.withdraw(terms, kStart)) granted.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted.load(), 10 + 50);
}

}  // namespace
}  // namespace gateway
