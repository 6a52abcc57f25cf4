#include "gateway/upstream/balance/surplus.hh"

#include <gtest/gtest.h>

#include <deque>

#include "gateway/upstream/balance/algorithms.hh"

namespace gateway::balance {
namespace {

// Clients that were asked come again after so many others were, to the least loaded.
class Crowd {
 public:
  Crowd(std::vector<Holding> servers, std::size_t away_max)
      : servers_(std::move(servers)), away_max_(away_max) {}

  // Gives how many were asked.
  std::size_t rebalance() {
    std::size_t asked = 0;
    Surplus surplus;
    surplus.begin(servers_);
    while (!surplus.is_over()) {
      const std::size_t at = surplus.next(servers_);
      if (at == kNobody && away_ == 0) break;
      if (at != kNobody) {
        --servers_[at].websockets;
        ++away_;
        ++asked;
      }
      if (at == kNobody || away_ > away_max_) come_again();
    }
    while (away_ > 0) come_again();
    return asked;
  }
  std::vector<std::uint64_t> websockets() const {
    std::vector<std::uint64_t> all;
    for (const Holding& one : servers_) all.push_back(one.websockets);
    return all;
  }

 private:
  void come_again() {
    std::vector<Candidate> candidates;
    for (const Holding& one : servers_) {
      candidates.push_back(
          {.weight = one.weight, .under_way = static_cast<std::uint32_t>(one.websockets)});
    }
    ++servers_[least_connections(candidates, dice_)].websockets;
    --away_;
  }

  std::vector<Holding> servers_;
  const std::size_t away_max_;
  std::size_t away_ = 0;
  Dice dice_{1};
};

TEST(Surplus, AsksNoMoreThanItTakes) {
  struct Case {
    const char* name;
    std::vector<Holding> servers;
    std::vector<std::uint64_t> ends;
    std::size_t asked;
  };
  for (const Case& one : {
           Case{"one comes", {{1, 1000}, {1, 1000}, {1, 1000}, {1, 0}}, {750, 750, 750, 750}, 750},
           Case{"a weight has grown", {{1, 300}, {2, 300}}, {200, 400}, 100},
           Case{"all is even", {{1, 300}, {1, 301}}, {300, 301}, 0},
           Case{"a few", {{1, 2}, {1, 2}, {1, 0}}, {2, 2, 0}, 0},
           Case{"who takes nothing keeps what he has",
                {{0, 500}, {1, 100}, {1, 0}},
                {500, 50, 50},
                50},
           Case{"nobody takes anything", {{0, 500}, {0, 0}}, {500, 0}, 0},
       }) {
    for (const std::size_t away_max : {0u, 20u, 200u, 100'000u}) {
      Crowd crowd(one.servers, away_max);
      const std::size_t asked = crowd.rebalance();
      EXPECT_LE(asked, one.asked) << one.name << " " << away_max;
      if (one.asked == 0) continue;
      const auto ends = crowd.websockets();
      for (std::size_t at = 0; at < ends.size(); ++at) {
        const double even = static_cast<double>(one.ends[at]);
        EXPECT_NEAR(static_cast<double>(ends[at]), even, 1) << one.name << " " << at;
      }
    }
  }
}

TEST(Surplus, WaitsWhereNobodyHasTooManyByNow) {
  Surplus surplus;
  surplus.begin(std::vector<Holding>{{1, 100}, {1, 0}});
  // Others have come by themselves meanwhile.
  EXPECT_EQ(surplus.next(std::vector<Holding>{{1, 100}, {1, 100}}), kNobody);
  EXPECT_FALSE(surplus.is_over());
  EXPECT_EQ(surplus.next(std::vector<Holding>{{1, 100}, {1, 60}}), 0u);
}

TEST(Surplus, IsOverWithTheLastOne) {
  Surplus surplus;
  EXPECT_TRUE(surplus.is_over());
  surplus.begin(std::vector<Holding>{{1, 2}, {1, 0}});
  EXPECT_FALSE(surplus.is_over());
  EXPECT_EQ(surplus.next(std::vector<Holding>{{1, 1}, {1, 1}}), kNobody) << "that is even";
  EXPECT_EQ(surplus.next(std::vector<Holding>{{1, 2}, {1, 0}}), 0u);
  EXPECT_TRUE(surplus.is_over());
}

}  // namespace
}  // namespace gateway::balance
