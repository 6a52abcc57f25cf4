// What lies in a client's input: taken from the front in any sizes, while more comes.
#include <gtest/gtest.h>

#include <string>

#include "gateway/client/input_buffer.hh"
#include "tests/uring/dice.hh"

namespace {

using gateway::InputBuffer;

struct CountingMemory : std::pmr::memory_resource {
  std::size_t held = 0;
  std::size_t taken = 0;  // blocks, so far

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    held += bytes;
    ++taken;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    held -= bytes;
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }
};

TEST(InputBuffer, GivesWhatCameInItsOrder) {
  for_each_seed(200, [](std::uint64_t seed) {
    Dice dice(seed);
    InputBuffer input(std::pmr::get_default_resource());
    std::string expected;
    char next = 0;
    for (int step = 0; step < 200; ++step) {
      if (dice.chance(50)) {
        std::string bytes(dice.between(0, 300), '\0');
        for (char& byte : bytes) byte = next++;
        input.append(proto::as_bytes(bytes));
        expected += bytes;
      } else {
        const std::size_t taken = dice.between(0, expected.size());
        input.take(taken);
        expected.erase(0, taken);
      }
      ASSERT_EQ(input.text(), expected);
      ASSERT_EQ(input.empty(), expected.empty());
    }
    input.reset();
    EXPECT_TRUE(input.empty());
  });
}

// Else a deep pipeline is moved once for each of its requests.
TEST(InputBuffer, MovesNothingWhenSomethingIsTaken) {
  InputBuffer input(std::pmr::get_default_resource());
  const std::string bytes(100'000, 'x');
  input.append(proto::as_bytes(bytes));
  const char* const last = input.text().data() + bytes.size() - 1;
  for (std::size_t taken = 0; taken < bytes.size() - 1; ++taken) input.take(1);
  EXPECT_EQ(input.text().data(), last);
}

// A connection on which the beginning of the next request has always come along.
TEST(InputBuffer, HoldsNoMoreThanWhatIsThereAndWhatWasTakenLast) {
  CountingMemory memory;
  InputBuffer input(&memory);
  const std::string bytes(100, 'x');
  input.append(proto::as_bytes(bytes));
  for (int round = 0; round < 100'000; ++round) {
    input.append(proto::as_bytes(bytes));
    input.take(bytes.size());
  }
  EXPECT_EQ(input.size(), bytes.size());
  EXPECT_LT(memory.held, 16 * bytes.size());
  input.reset();
  EXPECT_EQ(memory.held, 0u);
}

TEST(InputBuffer, HoldsNothingWhileItIsEmpty) {
  CountingMemory memory;
  InputBuffer input(&memory);
  input.append({});
  input.take(0);
  EXPECT_EQ(memory.taken, 0u);
  input.append(proto::as_bytes("first, second"));
  input.take(5);
  EXPECT_EQ(input.text(), ", second");
  EXPECT_GT(memory.held, 0u);
  input.take(8);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(input.text(), "");
  EXPECT_EQ(memory.held, 0u);
  input.append(proto::as_bytes("third"));
  EXPECT_EQ(input.text(), "third");
}

// A request whose head comes at once, on a connection that is kept.
TEST(InputBuffer, TakesOneBlockForARequest) {
  CountingMemory memory;
  InputBuffer input(&memory);
  const std::string head(500, 'x');
  for (std::size_t request = 1; request <= 3; ++request) {
    input.append(proto::as_bytes(head));
    input.take(head.size());
    EXPECT_EQ(memory.taken, request);
  }
}

TEST(InputBuffer, GivesItsMemoryBackWhenItGoes) {
  CountingMemory memory;
  {
    InputBuffer input(&memory);
    input.append(proto::as_bytes("the beginning of a request"));
  }
  EXPECT_EQ(memory.held, 0u);
}

}  // namespace
