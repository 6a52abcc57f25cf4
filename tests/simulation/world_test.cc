// That a seed is the same in each run.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/simulation/world.hh"

namespace {

using namespace simulation;

std::string chronicle_of(std::uint64_t seed) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const to = open_memstream(&text, &size);
  const Scenario scenario = draw(seed);
  EXPECT_TRUE(World(scenario, to).run()) << "seed " << seed;
  std::fclose(to);
  std::string told(text, size);
  std::free(text);
  return told;
}

TEST(World, IsTheSameInEachRunOfASeed) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const std::string told = chronicle_of(seed);
    EXPECT_FALSE(told.empty());
    EXPECT_TRUE(told == chronicle_of(seed)) << "seed " << seed;
  }
}

}  // namespace
