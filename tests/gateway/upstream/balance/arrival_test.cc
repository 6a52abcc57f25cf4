#include "gateway/upstream/balance/arrival.hh"

#include <gtest/gtest.h>

namespace gateway::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Arrival::Time kStart{seconds(100)};
constexpr seconds kSlowStart{30};

TEST(Arrival, LeavesTheWholeShareToWhoHasAlwaysBeenThere) {
  Arrival arrival;
  EXPECT_EQ(arrival.part(kStart, kSlowStart), kWhole);
}

TEST(Arrival, GrowsFromATenthToAll) {
  Arrival arrival;
  arrival.note();
  struct Case {
    seconds since;
    std::uint64_t part;
  };
  for (const Case& one : {Case{seconds(0), 100}, Case{seconds(10), 400}, Case{seconds(20), 700},
                          Case{seconds(30), 1000}, Case{seconds(3000), 1000}}) {
    EXPECT_EQ(arrival.part(kStart + one.since, kSlowStart), one.part) << one.since.count();
  }
}

TEST(Arrival, BeginsAnewWhereItComesAgain) {
  Arrival arrival;
  arrival.note();
  EXPECT_EQ(arrival.part(kStart, kSlowStart), 100u);
  arrival.note();
  EXPECT_EQ(arrival.part(kStart + seconds(29), kSlowStart), 100u);
}

TEST(Arrival, IsOverWhereNobodyStartsSlowly) {
  Arrival arrival;
  arrival.note();
  EXPECT_EQ(arrival.part(kStart, milliseconds(0)), kWhole);
  EXPECT_EQ(arrival.part(kStart + seconds(60), kSlowStart), kWhole)
      << "it came when that was asked first";
}

}  // namespace
}  // namespace gateway::balance
