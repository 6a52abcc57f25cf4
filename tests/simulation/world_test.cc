// What seeds have found, each as a scenario of its own; and that a seed is the same in each run.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/simulation/world.hh"

namespace {

using namespace simulation;

ClientPlan one_client(std::vector<RequestPlan> requests) {
  ClientPlan client;
  client.write_most = client.read_most = 1 << 20;
  client.requests = std::move(requests);
  return client;
}

// What the log says of a request.
LogLine only_line(World& world, unsigned client, unsigned request) {
  const std::vector<LogLine>& lines = world.trail(client, request).lines;
  EXPECT_EQ(lines.size(), 1u);
  return lines.empty() ? LogLine{} : lines.front();
}

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

// A client that leaves an interim response where it is keeps its own answer from coming: the server
// has its whole time when it has been taken.
TEST(World, DoesNotBlameAServerForWhatAClientDoesNotTake) {
  Scenario scenario;
  scenario.shards = 1;
  RequestPlan fills_the_window;
  fills_the_window.answer_bytes = 100'000;
  RequestPlan announced;
  announced.interim = true;
  announced.answer_bytes = 100;
  scenario.clients.push_back(one_client({fills_the_window, announced}));
  scenario.clients.front().pipelines = true;
  scenario.clients.front().dawdles_behind = 1;
  scenario.clients.front().dawdles_for = Limits::kResponse + milliseconds(3000);
  World world(scenario, nullptr);
  EXPECT_TRUE(world.run());
  EXPECT_EQ(only_line(world, 0, 1).status, "200");
  EXPECT_EQ(only_line(world, 0, 1).end, "done");
}

// Nor where the rest of an upload waits for the server meanwhile, which waits for the client, too.
TEST(World, DoesNotBlameAServerForAnUploadThatWaitsBehindTheClient) {
  Scenario scenario;
  scenario.shards = 1;
  RequestPlan fills_the_window;
  fills_the_window.answer_bytes = 100'000;
  RequestPlan upload;
  upload.method = "POST";
  upload.upload_bytes = 1'000'000;
  upload.interim = true;
  upload.deed = Deed::kAnswersEarly;
  upload.answer_bytes = 1'000'000;
  upload.reads_later = true;
  scenario.clients.push_back(one_client({fills_the_window, upload}));
  scenario.clients.front().pipelines = true;
  scenario.clients.front().dawdles_behind = 1;
  scenario.clients.front().dawdles_for = std::chrono::seconds(90);
  World world(scenario, nullptr);
  EXPECT_TRUE(world.run());
  EXPECT_EQ(only_line(world, 0, 1).end, "idle");
}

// A reset is told once, and where the send hears of it the receive sees a mere end: that is no end
// of an answer that has no other.
TEST(World, DoesNotPassOnAsWholeWhatAResetHasCut) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Scenario scenario;
    scenario.seed = seed;
    // With short results the send may have taken a part, and then tells how much, and no error.
    scenario.faults = seed <= 20 ? kReordered : kReordered | kShortResults;
    RequestPlan cut;
    cut.method = "PUT";
    cut.pool = PoolKind::kWild;
    cut.upload_bytes = 100'000;
    cut.answer_bytes = 1000;
    cut.framing = Framing::kUntilClose;
    cut.deed = Deed::kResetsBody;
    cut.deed_at = 500;
    cut.early = true;
    scenario.clients.push_back(one_client({cut}));
    World world(scenario, nullptr);
    EXPECT_TRUE(world.run()) << "seed " << seed;
    EXPECT_EQ(only_line(world, 0, 0).end, "upstream-reset") << "seed " << seed;
  }
}

// What a client sends behind its request waits for its turn, but not in the buffers that everybody
// receives with: its own server's answer could not arrive.
TEST(World, KeepsNoBuffersForWhatIsPipelinedBehindABody) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Scenario scenario;
    scenario.seed = seed;
    scenario.buffers = {4, 512, 2, 4096};
    RequestPlan upload;
    upload.method = "PUT";
    upload.upload_bytes = 20'000 + 100 * seed;
    upload.answer_bytes = 100;
    scenario.clients.push_back(one_client({upload, upload, upload}));
    scenario.clients.front().pipelines = true;
    scenario.clients.front().tls.emplace();
    World world(scenario, nullptr);
    EXPECT_TRUE(world.run()) << "seed " << seed;
  }
}

// A few buffers, some clients of one kind, and one that comes later and only wants its answer.
constexpr unsigned kCrowd = 12;

Scenario beside_a_crowd(std::uint64_t seed, const ClientPlan& plan) {
  Scenario scenario;
  scenario.seed = seed;
  scenario.faults = kSlowCancel;
  scenario.window = 3000;
  scenario.buffers = {4, 512, 2, 4096};
  for (unsigned number = 0; number < kCrowd; ++number) {
    scenario.clients.push_back(plan);
    scenario.clients.back().number = number;
  }
  RequestPlan bystanders;
  bystanders.answer_bytes = 3000;
  scenario.clients.push_back(one_client({bystanders}));
  scenario.clients.back().number = kCrowd;
  scenario.clients.back().comes_at = milliseconds(1500);
  return scenario;
}

void expect_bystander_is_served(const ClientPlan& plan) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Scenario scenario = beside_a_crowd(seed, plan);
    World world(scenario, nullptr);
    EXPECT_TRUE(world.run()) << "seed " << seed;
    EXPECT_EQ(only_line(world, kCrowd, 0).end, "done") << "seed " << seed;
  }
}

// The server takes nothing more of an upload, and nobody reads on from the client; but the receive
// for it was armed.
TEST(World, KeepsNoBuffersForAnUploadThatItsServerHasLeft) {
  RequestPlan upload;
  upload.method = "PUT";
  upload.pool = PoolKind::kWild;
  upload.upload_bytes = 200'000;
  upload.answer_bytes = 4000;
  upload.deed = Deed::kResetsBody;
  upload.deed_at = 500;
  upload.early = true;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Scenario scenario = beside_a_crowd(seed, one_client({upload}));
    World world(scenario, nullptr);
    EXPECT_TRUE(world.run()) << "seed " << seed;
    for (unsigned client = 0; client < kCrowd; ++client) {
      EXPECT_EQ(only_line(world, client, 0).end, "upstream-reset") << "seed " << seed;
    }
  }
}

// A client that has its next request under way, and takes no answers, has nobody who reads.
TEST(World, KeepsNoBuffersForWhoTakesNoAnswers) {
  RequestPlan long_answer;
  long_answer.answer_bytes = 150'000;
  RequestPlan next;
  next.answer_bytes = 100;
  ClientPlan plan = one_client({long_answer, next});
  plan.pipelines = true;
  plan.write_most = 37;  // one request
  plan.pause_max = milliseconds(300);
  plan.dawdles_behind = 1;
  plan.dawdles_for = std::chrono::seconds(20);
  expect_bystander_is_served(plan);
}

// Nor has one that is being left, as long as it does not take its last answer.
TEST(World, KeepsNoBuffersForWhoDoesNotTakeItsLastAnswer) {
  RequestPlan fills_the_window;
  fills_the_window.answer_bytes = 12'000;
  RequestPlan refused;
  refused.method = "PUT";
  refused.pool = PoolKind::kWild;
  refused.upload_bytes = 200'000;
  refused.deed = Deed::kGarbage;
  refused.early = true;
  ClientPlan plan = one_client({fills_the_window, refused});
  plan.pipelines = true;
  plan.dawdles_behind = 1;
  plan.dawdles_for = std::chrono::seconds(20);
  expect_bystander_is_served(plan);
}

// A close_notify is all that tells a whole answer from a cut one.
TEST(World, TakesTheEndOfATlsStreamForAnEndOnlyIfItIsTold) {
  constexpr unsigned kSeeds = 20;
  unsigned whole = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Scenario scenario;
    scenario.seed = seed;
    RequestPlan request;
    request.pool = PoolKind::kSecureWild;
    request.answer_bytes = 1000;
    request.framing = Framing::kUntilClose;
    scenario.clients.push_back(one_client({request}));
    World world(scenario, nullptr);
    EXPECT_TRUE(world.run()) << "seed " << seed;
    if (only_line(world, 0, 0).end == "done") ++whole;
  }
  EXPECT_GT(whole, 0u) << "some servers say it";
  EXPECT_LT(whole, kSeeds) << "some do not";
}

}  // namespace
