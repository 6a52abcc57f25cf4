// What seeds have found of kicks, each as a scenario of its own.
#include <gtest/gtest.h>

#include "tests/simulation/world.hh"

namespace {

using namespace simulation;

// A look that kicks all who are there.
LookPlan kick_at(milliseconds at) {
  LookPlan look{.at = at};
  look.query.rows = gateway::LiveQuery::kRowsMax;
  look.kick.emplace();
  return look;
}

// Whoever is kicked before his answer has begun is told so, and asks nothing more there.
TEST(KickWorld, ServesNothingBehindARequestThatWasKicked) {
  Scenario scenario;
  scenario.shards = 1;
  RequestPlan slow;
  slow.thinking = milliseconds(500);
  slow.answer_bytes = 100;
  ClientPlan& client = scenario.clients.emplace_back();
  client.write_most = client.read_most = 1 << 20;
  client.requests = {slow, slow};
  scenario.looks.looks.push_back(kick_at(milliseconds(100)));
  World world(scenario, nullptr);
  EXPECT_TRUE(world.run());
  ASSERT_EQ(world.trail(0, 0).lines.size(), 1u);
  EXPECT_EQ(world.trail(0, 0).lines.front().end, "kicked");
  EXPECT_EQ(world.trail(0, 0).lines.front().status, "503");
  EXPECT_TRUE(world.trail(0, 1).lines.empty());
}

// Nor behind one that is kicked in the middle of its upload, or of its answer.
TEST(KickWorld, ServesNothingBehindAKickAtAnyMomentOfARequest) {
  for (int at = 0; at < 40 && !testing::Test::HasFailure(); ++at) {
    Scenario scenario;
    scenario.shards = 1;
    RequestPlan request;
    request.method = "POST";
    request.upload_bytes = 20'000;
    request.answer_bytes = 20'000;
    request.deed = Deed::kAnswersEarly;
    ClientPlan& client = scenario.clients.emplace_back();
    client.write_most = client.read_most = 2000;
    client.pause_max = microseconds(500);
    client.requests.assign(6, request);
    scenario.looks.looks.push_back(kick_at(milliseconds(at)));
    EXPECT_TRUE(World(scenario, nullptr).run()) << "kicked after " << at << " ms";
  }
}

}  // namespace
