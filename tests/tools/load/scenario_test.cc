// Scenario files: what they say, and what is wrong with them.
#include "tools/load/scenario_file.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace load {
namespace {

using namespace std::chrono_literals;

TEST(Scenario, HasTheOptionsOfTheCommandLine) {
  const auto scenario = read_scenario(R"(
    target = ["ws://a/", "ws://b/;weight=2"]
    in_flight = 4
    connect_rate = 2.5
    text = true
    poisson = false
    size = "16k"
  )");
  ASSERT_TRUE(scenario) << scenario.error();
  std::vector<std::string> arguments = scenario->arguments;
  std::ranges::sort(arguments);
  EXPECT_EQ(arguments,
            (std::vector<std::string>{"--connect-rate=2.500000", "--in-flight=4", "--size=16k",
                                      "--target=ws://a/", "--target=ws://b/;weight=2", "--text"}));
  EXPECT_TRUE(scenario->phases.empty());
}

TEST(Scenario, HasPhasesInTheirOrder) {
  const auto scenario = read_scenario(R"(
    [[phase]]
    name = "ramp-up"
    duration = "30s"
    connections = 100
    [[phase]]
    rate_each = 5
    poisson = true
    duration = 0
  )");
  ASSERT_TRUE(scenario) << scenario.error();
  Plan plan;
  plan.connections = 7;
  adopt_phases(plan, *scenario);
  ASSERT_EQ(plan.phases.size(), 2u);
  EXPECT_EQ(plan.connections, 100u);
  EXPECT_EQ(plan.phases[0].name, "ramp-up");
  EXPECT_EQ(plan.phases[0].length, 30s);
  EXPECT_EQ(plan.phases[1].name, "hold");
  EXPECT_EQ(plan.phases[1].connections, 7u);
  EXPECT_EQ(plan.phases[1].rate.per_second, 5);
  EXPECT_TRUE(plan.phases[1].rate.per_connection);
  EXPECT_TRUE(plan.phases[1].rate.poisson);
  EXPECT_FALSE(plan.phases[1].length);
}

TEST(Scenario, IsRefusedWithItsLine) {
  for (const std::string_view text : {
           "\nx = ",
           "\nx = 1979-05-27",
           "\nx = [[1]]",
           "\nx = {a = 1}",
           "\nphase = 1",
           "\nphase = [1]",
           "\n[[phase]]\nname = 1",
           "\n[[phase]]\nname = ''",
           "\n[[phase]]\nnonsense = 1",
           "\n[[phase]]\nconnections = -1",
           "\n[[phase]]\nconnections = 1.5",
           "\n[[phase]]\nrate = -1",
           "\n[[phase]]\nrate = nan",
           "\n[[phase]]\nduration = 'soon'",
           "\n[[phase]]\npoisson = 1",
           "\n[[phase]]\nname = 'ramp'\nduration = 0",
       }) {
    const auto scenario = read_scenario(text);
    ASSERT_FALSE(scenario) << text;
    EXPECT_TRUE(scenario.error().starts_with("line ")) << text << ": " << scenario.error();
  }
}

}  // namespace
}  // namespace load
