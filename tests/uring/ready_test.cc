// The ready list and events: order, budget, and that nothing is entered twice.
#include "uring/ready.hh"

#include <gtest/gtest.h>

#include <string>

#include "uring/task.hh"

using uring::Event;
using uring::ReadyList;
using uring::Task;

namespace {

class Step {
 public:
  Step(std::string& log, char name) : log_(log), name_(name) {}
  uring::Ready& ready() { return ready_; }
  // Pushes `next` each of the first `times` times that this runs.
  void then_push(ReadyList& list, Step& next, int times) {
    list_ = &list;
    next_ = &next;
    times_ = times;
  }

 private:
  void run() {
    log_ += name_;
    if (times_-- > 0) list_->push(next_->ready_);
  }
  std::string& log_;
  char name_;
  ReadyList* list_ = nullptr;
  Step* next_ = nullptr;
  int times_ = 0;
  uring::ReadyMember<&Step::run> ready_{*this};
};

TEST(ReadyList, RunsInTheOrderOfThePushes) {
  std::string log;
  Step a(log, 'a'), b(log, 'b'), c(log, 'c');
  ReadyList list;
  for (Step* step : {&b, &a, &c, &a, &b}) list.push(step->ready());
  list.run(10);
  EXPECT_EQ(log, "bac");
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(a.ready().queued());
}

TEST(ReadyList, RunsWhatIsPushedMeanwhileWithinItsBudget) {
  std::string log;
  Step a(log, 'a'), b(log, 'b');
  ReadyList list;
  a.then_push(list, b, 3);
  b.then_push(list, a, 3);
  list.push(a.ready());
  list.run(5);
  EXPECT_EQ(log, "ababa");
  EXPECT_TRUE(b.ready().queued());
  list.run(100);
  EXPECT_EQ(log, "abababa");
  EXPECT_TRUE(list.empty());
}

TEST(ReadyList, MovesAllEntriesBehindThoseOfAnother) {
  std::string log;
  Step a(log, 'a'), b(log, 'b'), c(log, 'c'), d(log, 'd');
  ReadyList from;
  ReadyList to;
  from.move_to(to);
  EXPECT_TRUE(to.empty());
  to.push(a.ready());
  from.push(b.ready());
  from.push(c.ready());
  from.move_to(to);
  EXPECT_TRUE(from.empty());
  to.push(d.ready());
  to.run(10);
  EXPECT_EQ(log, "abcd");
}

TEST(ReadyDeathTest, MustNotDieInTheList) {
  EXPECT_DEATH(
      {
        std::string log;
        ReadyList list;
        Step a(log, 'a');
        list.push(a.ready());
      },
      "due to run");
}

Task<> wait_and_log(Event& event, std::string& log, char name) {
  co_await event.wait();
  log += name;
}

TEST(Event, LetsAWaiterGoOnFromTheReadyListOnly) {
  ReadyList list;
  std::string log;
  Event event(list);
  Task<> waiting = wait_and_log(event, log, 'w');
  waiting.start();
  EXPECT_EQ(log, "");
  event.set();
  event.set();
  EXPECT_EQ(log, "") << "resumed from inside set()";
  list.run(10);
  EXPECT_EQ(log, "w");
  EXPECT_TRUE(waiting.done());
}

TEST(Event, LetsThroughAtOnceWhileItIsSet) {
  ReadyList list;
  std::string log;
  Event event(list);
  event.set();
  Task<> first = wait_and_log(event, log, '1');
  first.start();
  Task<> second = wait_and_log(event, log, '2');
  second.start();
  EXPECT_EQ(log, "12");
  event.clear();
  Task<> third = wait_and_log(event, log, '3');
  third.start();
  EXPECT_EQ(log, "12");
  event.set();
  list.run(1);
  EXPECT_EQ(log, "123");
}

}  // namespace
