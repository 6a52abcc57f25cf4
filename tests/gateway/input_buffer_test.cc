// What lies in a client's input: taken from the front in any sizes, while more comes.
#include <gtest/gtest.h>

#include <string>

#include "gateway/input_buffer.hh"
#include "tests/uring/dice.hh"

namespace {

using gateway::InputBuffer;

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

}  // namespace
