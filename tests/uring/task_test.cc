// Tasks: values, children that end at once and later, and a stack that stays flat.
#include "uring/task.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "uring/ready.hh"

using uring::Event;
using uring::ReadyList;
using uring::Task;

namespace {

Task<int> at_once(int value) {
  co_return value;
}

Task<int> later(Event& event, int value) {
  co_await event.wait();
  co_return value;
}

Task<> add(Event& event, int& sum) {
  sum += co_await at_once(1);
  sum += co_await later(event, 10);
  sum += co_await at_once(100);
}

TEST(Task, RunsOnlyWhenItIsStarted) {
  ReadyList list;
  Event event(list);
  int sum = 0;
  {
    Task<> never = add(event, sum);
    EXPECT_FALSE(never.done());
  }
  EXPECT_EQ(sum, 0);
  EXPECT_TRUE(Task<>().done());
}

TEST(Task, TakesValuesOfChildrenThatEndAtOnceAndLater) {
  ReadyList list;
  Event event(list);
  int sum = 0;
  Task<> task = add(event, sum);
  task.start();
  EXPECT_EQ(sum, 1);
  event.set();
  list.run(10);
  EXPECT_EQ(sum, 111);
  EXPECT_TRUE(task.done());
}

TEST(Task, EndsWhenItsChildWasReadyAtOnce) {
  ReadyList list;
  Event event(list);
  event.set();
  int sum = 0;
  Task<> task = add(event, sum);
  task.start();
  EXPECT_TRUE(task.done());
  EXPECT_EQ(sum, 111);
}

Task<std::unique_ptr<std::string>> make_text() {
  co_return std::make_unique<std::string>("moved, not copied");
}

Task<> take_text(std::unique_ptr<std::string>& text) {
  text = co_await make_text();
}

TEST(Task, HandsOverValuesThatOnlyMove) {
  std::unique_ptr<std::string> text;
  Task<> task = take_text(text);
  task.start();
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(*text, "moved, not copied");
}

TEST(Task, MovesWithItsRunningCoroutine) {
  ReadyList list;
  Event event(list);
  int sum = 0;
  Task<> first = add(event, sum);
  first.start();
  Task<> second = std::move(first);
  EXPECT_TRUE(first.done());
  event.set();
  list.run(10);
  EXPECT_TRUE(second.done());
  EXPECT_EQ(sum, 111);
}

Task<int> nest(Event& event, int depth) {
  if (depth == 0) {
    co_await event.wait();
    co_return 0;
  }
  co_return 1 + co_await nest(event, depth - 1);
}

Task<> nest_and_note(Event& event, int depth, int& result) {
  result = co_await nest(event, depth);
}

TEST(Task, UnwindsADeepNest) {
  ReadyList list;
  Event event(list);
  int result = -1;
  Task<> task = nest_and_note(event, 1000, result);
  task.start();
  EXPECT_EQ(result, -1);
  event.set();
  list.run(1);
  EXPECT_EQ(result, 1000);
}

// How far the stack was down, at the most.
struct StackDepth {
  [[gnu::noinline]] void note() {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest = std::min(lowest, here);
    highest = std::max(highest, here);
  }
  std::uintptr_t spread() const { return highest - lowest; }
  std::uintptr_t lowest = std::numeric_limits<std::uintptr_t>::max();
  std::uintptr_t highest = 0;
};

Task<int> child(StackDepth& depth) {
  depth.note();
  co_return 1;
}

Task<int> child_that_need_not_wait(StackDepth& depth, Event& event) {
  event.set();
  co_await event.wait();
  depth.note();
  co_return 1;
}

Task<int> child_suspended(StackDepth& depth, Event& event) {
  event.clear();
  co_await event.wait();
  depth.note();
  co_return 1;
}

Task<> many_children(StackDepth& depth, Event& event, int& sum) {
  for (int count = 0; count < 100'000; ++count) {
    sum += co_await child(depth);
    sum += co_await child_that_need_not_wait(depth, event);
  }
}

Task<> many_suspended_children(StackDepth& depth, Event& event, int& sum) {
  for (int count = 0; count < 100'000; ++count) sum += co_await child_suspended(depth, event);
}

TEST(Task, NeedsNoMoreStackForAHundredThousandChildrenThatEndAtOnce) {
  ReadyList list;
  Event event(list);
  StackDepth depth;
  int sum = 0;
  Task<> task = many_children(depth, event, sum);
  task.start();
  EXPECT_TRUE(task.done());
  EXPECT_EQ(sum, 200'000);
  EXPECT_LT(depth.spread(), 4096u);
}

TEST(Task, NeedsNoMoreStackForAHundredThousandChildrenThatEndLater) {
  ReadyList list;
  Event event(list);
  StackDepth depth;
  int sum = 0;
  Task<> task = many_suspended_children(depth, event, sum);
  task.start();
  while (!task.done()) {
    event.set();
    list.run(1);
  }
  EXPECT_EQ(sum, 100'000);
  EXPECT_LT(depth.spread(), 4096u);
}

TEST(TaskDeathTest, MustNotBeDestroyedWhileItRuns) {
  ReadyList list;
  Event event(list);
  EXPECT_DEATH(
      {
        int sum = 0;
        Task<> parent = add(event, sum);
        parent.start();
        parent = Task<>();
      },
      "a task was destroyed while it ran|an Event died under its waiter|due to run");
}

}  // namespace
