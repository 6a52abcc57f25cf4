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

TEST(Scenario, HasStepsThatBeginAConversation) {
  const auto scenario = read_scenario(R"(
    [[step]]
    [[step]]
    send = '{{"login":{conn}}}'
    extract = { token = "/token", id = "/user/0" }
    [[step]]
    send = 'subscribe {token} {id}'
    reply = false
  )");
  ASSERT_TRUE(scenario) << scenario.error();
  ASSERT_EQ(scenario->steps.size(), 3u);
  EXPECT_EQ(scenario->fields, (std::vector<std::string>{"id", "token"}));
  EXPECT_FALSE(scenario->steps[0].send);
  EXPECT_TRUE(scenario->steps[1].send && scenario->steps[1].has_reply);
  ASSERT_EQ(scenario->steps[1].extractions.size(), 2u);
  EXPECT_EQ(scenario->steps[1].extractions[1].pointer, "/token");
  EXPECT_EQ(scenario->steps[1].extractions[1].field, 1u);
  EXPECT_FALSE(scenario->steps[2].has_reply);
}

TEST(Scenario, HasWaitsInItsSteps) {
  const auto scenario = read_scenario(R"(
    [[step]]
    wait = 2
    [[step]]
    wait = "0..5s"
    send = "x"
    [[step]]
    wait = "1s"
    reply = true
    [[step]]
    wait = "1s"
    extract = { token = "/token" }
  )");
  ASSERT_TRUE(scenario) << scenario.error();
  ASSERT_EQ(scenario->steps.size(), 4u);
  EXPECT_EQ(scenario->steps[0].wait.most(), 2s);
  EXPECT_FALSE(scenario->steps[0].send || scenario->steps[0].has_reply);
  EXPECT_EQ(scenario->steps[1].wait.least(), 0s);
  EXPECT_EQ(scenario->steps[1].wait.most(), 5s);
  EXPECT_TRUE(scenario->steps[1].send && scenario->steps[1].has_reply);
  EXPECT_TRUE(!scenario->steps[2].send && scenario->steps[2].has_reply);
  EXPECT_TRUE(!scenario->steps[3].send && scenario->steps[3].has_reply);
}

TEST(Scenario, KnowsTheKeysThatAreMeant) {
  struct Case {
    std::string_view text;
    std::string_view error;
  };
  const std::vector<std::string> options{"size", "in-flight", "connections"};
  for (const Case& each : {
           Case{"\n conections = 1", "2:2: unknown key 'conections'; did you mean 'connections'?"},
           Case{"in_fligt = 1", "1:1: unknown key 'in_fligt'; did you mean 'in_flight'?"},
           Case{
               "[[phase]]\nlength = 1",
               "2:1: unknown key 'length': there are name, duration, connections, rate, rate_each, "
               "poisson"},
           Case{"[[step]]\nsent = 'x'", "2:1: unknown key 'sent'; did you mean 'send'?"},
           Case{"[[step]]\nlinger = '1s'",
                "2:1: unknown key 'linger': there are wait, send, reply, extract"},
       }) {
    const auto scenario = read_scenario(each.text, options);
    ASSERT_FALSE(scenario) << each.text;
    EXPECT_EQ(scenario.error(), each.error);
  }
  EXPECT_TRUE(read_scenario("in_flight = 1\nsize = 2", options));
}

TEST(Scenario, KnowsWhereAnOptionStands) {
  const auto scenario = read_scenario("size = 1\n  in_flight = 'x'");
  ASSERT_TRUE(scenario) << scenario.error();
  EXPECT_EQ(scenario->place_of("--in-flight: not a number"), "2:15: ");
  EXPECT_EQ(scenario->place_of("--size excludes --message"), "1:8: ");
  EXPECT_EQ(scenario->place_of("--in: x"), "");
  EXPECT_EQ(scenario->place_of("--sizes: x"), "");
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
           "\nstep = 1",
           "\nstep = [1]",
           "\n[[step]]\nsend = 1",
           "\n[[step]]\nsend = ''",
           "\n[[step]]\nsend = '{token}'",
           "\n[[step]]\nreply = 1",
           "\n[[step]]\nreply = false",
           "\n[[step]]\nreply = false\nwait = 0",
           "\n[[step]]\nwait = true",
           "\n[[step]]\nwait = '2s..1s'",
           "\n[[step]]\nwait = '1s'\nreply = false\nextract = { a = '/x' }",
           "\n[[step]]\nextract = 1",
           "\n[[step]]\nextract = { token = 1 }",
           "\n[[step]]\nextract = { token = 'x' }",
           "\n[[step]]\nextract = { seq = '/x' }",
           "\n[[step]]\nsend = 'x'\nreply = false\nextract = { a = '/x' }",
           "\n[[step]]\nextract = { a = '/x' }\n[[step]]\nextract = { a = '/x' }",
       }) {
    const auto scenario = read_scenario(text);
    ASSERT_FALSE(scenario) << text;
    const char line = scenario.error().front();
    EXPECT_TRUE(line >= '2' && line <= '6') << text << ": " << scenario.error();
    EXPECT_EQ(scenario.error()[1], ':') << text << ": " << scenario.error();
  }
}

}  // namespace
}  // namespace load
