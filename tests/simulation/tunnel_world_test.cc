// What seeds have found of tunnels, each as a scenario of its own.
#include <gtest/gtest.h>

#include "tests/simulation/world.hh"

namespace {

using namespace simulation;

ClientPlan client_with_tunnel(unsigned number, const TunnelPlan& tunnel) {
  ClientPlan client;
  client.number = number;
  client.comes_at = milliseconds(number);
  client.write_most = client.read_most = 1 << 20;
  RequestPlan& request = client.requests.emplace_back();
  request.pool = PoolKind::kWild;
  request.tunnel = tunnel;
  return client;
}

// A server that takes its client's last bytes slowly is not waited for where clients wait for
// descriptors: what it has not got by then does not end like what is whole.
TEST(TunnelWorld, CutsWhatNobodyWaitsFor) {
  for (std::uint64_t seed = 1; seed <= 80 && !testing::Test::HasFailure(); ++seed) {
    Scenario scenario;
    scenario.seed = seed;
    scenario.shards = 1;
    scenario.has_tunnels = true;
    // Three clients, and as many who wait.
    scenario.descriptors = 18;
    scenario.faults = kUsualFaults | kCoarseTime;
    const std::size_t bytes = seed % 2 == 0 ? 300 : 5000;
    if (seed % 4 == 1) scenario.window = 1000;
    for (unsigned number = 0; number < 12; ++number) {
      scenario.clients.push_back(client_with_tunnel(
          number, {.client = {.bytes = bytes, .piece = bytes}, .ending = TunnelEnding::kBoth}));
    }
    EXPECT_TRUE(World(scenario, nullptr).run()) << "seed " << seed;
  }
}

// A client that reads the end of its tunnel long after the gateway has gone leaves by itself.
TEST(TunnelWorld, IsLeftByAClientThatIsThroughAlone) {
  Scenario scenario;
  scenario.shards = 1;
  scenario.has_tunnels = true;
  ClientPlan client = client_with_tunnel(0, {.ending = TunnelEnding::kServerCloses});
  client.dawdles_behind = 1;
  client.dawdles_for = milliseconds(10'000);
  scenario.clients.push_back(client);
  EXPECT_TRUE(World(scenario, nullptr).run());
}

}  // namespace
