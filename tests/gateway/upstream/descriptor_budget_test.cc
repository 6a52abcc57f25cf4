// How many clients there are descriptors for.
#include "gateway/upstream/descriptor_budget.hh"

#include <gtest/gtest.h>

namespace {

using gateway::DescriptorBudget;

TEST(DescriptorBudget, CountsTwoForAClientAndOneForAnIdleConnectionOverAllShards) {
  DescriptorBudget budget(2);
  budget.set_capacity(1000, 40, 4);
  const std::size_t all = budget.clients_max();
  EXPECT_GT(all, 460u);
  EXPECT_LE(2 * all + 40 + 4, 1000u);
  EXPECT_EQ(budget.clients_more(), all);
  budget.note_clients(0, 100);
  budget.note_clients(1, 50);
  EXPECT_EQ(budget.clients_more(), all - 150);
  budget.note_idle(1, 20);
  EXPECT_EQ(budget.clients_more(), all - 160);
  budget.note_clients(0, 0);
  budget.note_idle(1, 0);
  EXPECT_EQ(budget.clients_more(), all - 50);
}

TEST(DescriptorBudget, HasNoRoomRatherThanMuchWhenMoreAreInThanItAllows) {
  DescriptorBudget budget(1);
  budget.set_capacity(100, 40, 1);
  budget.note_clients(0, 1000);
  EXPECT_EQ(budget.clients_more(), 0u);
}

TEST(DescriptorBudget, LetsOneClientInWhereTheLimitIsTooLowForAny) {
  DescriptorBudget budget(1);
  budget.set_capacity(10, 40, 1);
  EXPECT_EQ(budget.clients_max(), 1u);
  EXPECT_EQ(budget.clients_more(), 1u);
}

}  // namespace
