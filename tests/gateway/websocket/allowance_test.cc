#include "gateway/websocket/allowance.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace {

using gateway::Allowance;
using gateway::ClientRates;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();

struct Kind {
  const char* name;
  std::uint32_t Allowance::Use::*used;
  ClientRates rates;
};
const Kind kKinds[] = {
    {"messages", &Allowance::Use::messages, {.messages = 100}},
    {"bytes", &Allowance::Use::bytes, {.bytes = 100}},
    {"control frames", &Allowance::Use::control_frames, {.control_frames = 100}},
};

// From 2^32 - 2 on: the third one makes the total 0 again.
TEST(Allowance, CountsOnWhereATotalBeginsAnew) {
  for (const Kind& kind : kKinds) {
    Allowance::Use used{};
    used.*kind.used = kMost - 1;
    Allowance allowance(used);
    const Allowance::Time begin{seconds(1000)};
    for (int one = 1; one <= 100; ++one) {
      ++(used.*kind.used);
      EXPECT_EQ(allowance.take(begin, used, kind.rates), begin) << kind.name << " " << one;
    }
    ++(used.*kind.used);
    EXPECT_EQ(allowance.take(begin, used, kind.rates), begin + milliseconds(10)) << kind.name;
  }
}

TEST(Allowance, TakesTheMostThatCanComeAtOnce) {
  for (const Kind& kind : kKinds) {
    Allowance allowance({});
    Allowance::Use used{};
    used.*kind.used = kMost;
    ClientRates slowest = kind.rates;
    slowest.messages = std::min(slowest.messages, 1u);
    slowest.bytes = std::min<std::uint64_t>(slowest.bytes, 1);
    slowest.control_frames = std::min(slowest.control_frames, 1u);
    EXPECT_EQ(allowance.take({}, used, slowest), Allowance::Time{} + seconds(kMost - 1))
        << kind.name;
  }
}

}  // namespace
