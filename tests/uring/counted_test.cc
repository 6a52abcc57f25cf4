#include "uring/counted.hh"

#include <gtest/gtest.h>

namespace {

class Thing : public uring::Counted {
 public:
  explicit Thing(int& alive) : alive_(alive) { ++alive_; }
  ~Thing() { --alive_; }

 private:
  int& alive_;
};
using HeldThing = uring::Held<Thing>;

TEST(Counted, GoesWithItsLastHolder) {
  int alive = 0;
  HeldThing first = HeldThing::make(alive);
  {
    const HeldThing second = first;
    EXPECT_EQ(second.get(), first.get());
    first = {};
    EXPECT_FALSE(first);
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Counted, MovesWithoutANewHolder) {
  int alive = 0;
  HeldThing first = HeldThing::make(alive);
  HeldThing second = std::move(first);
  EXPECT_TRUE(second);
  second = HeldThing::make(alive);
  EXPECT_EQ(alive, 1);
  HeldThing& same = second;
  second = same;
  EXPECT_EQ(alive, 1);
}

TEST(CountedDeathTest, DoesNotGoWhileSomebodyHoldsIt) {
  int alive = 0;
  EXPECT_DEATH(
      {
        auto* const thing = new Thing(alive);
        const HeldThing held(*thing);
        delete thing;
      },
      "what somebody holds does not go");
}

}  // namespace
