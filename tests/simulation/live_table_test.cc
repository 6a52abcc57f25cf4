// The live table of one shard with 20,000 connections, walked through page by page while they come
// and go: no turn looks at more than its share, nobody is shown twice, and who stays is shown.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/shard/live_scan.hh"
#include "tests/simulation/generations.hh"
#include "tests/simulation/listening.hh"
#include "tests/simulation/main_thread.hh"

namespace {

using namespace simulation;

constexpr unsigned kConnections = 20'000;
constexpr std::size_t kRows = gateway::LiveQuery::kRowsMax;
constexpr std::array<std::byte, 32> kSeed{};

// A shard, its main thread, and clients who say nothing.
class Crowd {
 public:
  Crowd() {
    descriptors_.set_capacity(3 * kConnections, 0, 2);
    stage_.system->stepped = true;
    auto shard = gateway::Shard::create({.index = 0,
                                         .count = 1,
                                         .tickets = tickets_,
                                         .registry = registry_,
                                         .descriptors = descriptors_,
                                         .limits = limits_,
                                         .balance = balance_,
                                         .memory = memory_,
                                         .memory_usual_bytes = std::size_t{1} << 40,
                                         .log = gateway::Log(ring_, gateway::LogLevel::error),
                                         .reports = main_->reports()},
                                        kernel_);
    shard_ = std::move(*shard);
    const GenerationPlan plan = plan_generation(scenario_, 1);
    auto added = listening_.open(plan.listens, {{kernel_, *shard_}});
    shard_->begin_with({make_generation(plan), std::move(added.front())});
    shard_->begin();
  }

  // What has gone wrong in the middle cannot be taken down in order.
  ~Crowd() {
    (void)shard_.release();
    if (!is_over_) (void)main_.release();
  }

  void come() {
    const auto number = static_cast<unsigned>(clients_.size());
    clients_.push_back(listening_.let_in(Entry::kPlain, 0, kernel_));
    clients_.back()->come_from(port_of(number));
  }
  // Unless it has gone already.
  void go(unsigned number) {
    if (is_there(number)) clients_[number]->close();
  }
  bool is_there(unsigned number) const { return !clients_[number]->finished(); }
  std::size_t clients() const { return clients_.size(); }
  std::size_t connections() const { return shard_->connections(); }

  // So many reports of looks are due from now on.
  void look(const std::shared_ptr<gateway::LiveLook>& look) {
    look->pages.resize(1);
    ++due_;
    EXPECT_TRUE(shard_->orders().post(gateway::LookOrder{look}));
  }
  bool has_looked() const { return main_->looked() == due_; }

  void turn() {
    if (kernel_.due()) shard_->loop().turn();
    if (main_->kernel().due()) main_->loop().turn();
    ring_.drain([](const gateway::LogRing::Record&) {});
  }
  template <class Condition>
  void turn_until(Condition condition) {
    while (!condition()) {
      if (!kernel_.due() && !main_->kernel().due()) {
        const Time next = std::min(kernel_.next_event(), main_->kernel().next_event());
        ASSERT_NE(next, kNever) << "stands still";
        stage_.system->now = next;
      }
      turn();
    }
  }
  void turn_while_due() {
    while (kernel_.due() || main_->kernel().due()) turn();
  }
  // Those whom the gateway has closed close, too.
  void close_closed() {
    for (const Stream& client : clients_) {
      if (client->saw_end() && !client->finished()) client->close();
    }
  }
  void close_all() {
    for (unsigned number = 0; number < clients_.size(); ++number) go(number);
  }
  void stop() {
    const gateway::ClosingPlan plan;
    EXPECT_TRUE(shard_->orders().post(gateway::StopOrder{{plan, 1}}));
    turn_until([&] { return shard_->loop().stopped(); });
    shard_->loop().turn();
    shard_->finish();
    listening_.close_all_but({}, kernel_);
    turn_until([&] { return main_->loop().stopped(); });
    shard_.reset();
    is_over_ = true;
    EXPECT_EQ(stage_.system->descriptors.size(), 1u);  // the main thread's bell
  }

 private:
  const Scenario scenario_{.shards = 1};
  Stage stage_{scenario_, nullptr};
  tls::TicketKeys tickets_;
  gateway::Registry registry_;
  gateway::limits::ClientLimits limits_{64, kSeed};
  uring::MemoryAccount memory_;
  gateway::DescriptorBudget descriptors_{1};
  gateway::AcceptBalance balance_{1};
  gateway::LogRing ring_{"shard 0", 1 << 20};
  std::unique_ptr<MainThread> main_ =
      std::make_unique<MainThread>(1, SimulationOptions{.calm = true}, stage_.system, 1);
  SimulatedKernel kernel_{1, {.calm = true}, stage_.system};
  Listening listening_{stage_};
  std::unique_ptr<gateway::Shard> shard_;
  std::vector<Stream> clients_;
  unsigned due_ = 0;
  bool is_over_ = false;
};

// What a walk through the table has shown, by the number of the client.
using Shown = std::vector<unsigned>;

// One page, in as many turns as it takes, in each of which some come and some go.
std::optional<gateway::LivePlace> look_at_page(Crowd& crowd, Dice& dice, Shown& shown,
                                               gateway::LiveQuery query) {
  const auto look = std::make_shared<gateway::LiveLook>();
  look->query = std::move(query);
  crowd.look(look);
  const gateway::LivePage& page = look->pages.front();
  while (!crowd.has_looked() && !testing::Test::HasFailure()) {
    for (unsigned times = 0; times < 2; ++times) {
      crowd.go(static_cast<unsigned>(dice.between(0, crowd.clients() - 1)));
      crowd.come();
    }
    const std::size_t before = page.looked_at;
    crowd.turn();
    EXPECT_LE(page.looked_at - before, gateway::LiveScan::kAtOnce);
    EXPECT_LE(page.rows.size(), kRows);
  }
  shown.resize(crowd.clients());
  for (const gateway::LiveRow& row : page.rows) ++shown[row.port - kFirstPort];
  return page.rows.size() == kRows ? std::optional(page.rows.back().place) : std::nullopt;
}

// All who are there are shown or gone, and nobody twice.
void judge(const Crowd& crowd, const Shown& shown) {
  unsigned missing = 0;
  unsigned twice = 0;
  unsigned stayed = 0;
  for (unsigned number = 0; number < shown.size(); ++number) {
    twice += shown[number] > 1 ? 1 : 0;
    const bool has_stayed = number < kConnections && crowd.is_there(number);
    stayed += has_stayed ? 1 : 0;
    missing += has_stayed && shown[number] == 0 ? 1 : 0;
  }
  EXPECT_GT(stayed, kConnections / 2);
  EXPECT_EQ(missing, 0u);
  EXPECT_EQ(twice, 0u);
}

// How many were kicked, and how many were looked for.
gateway::LivePage kick_all(Crowd& crowd) {
  gateway::ClosingPlan plan;
  plan.reason = gateway::Reason::kKicked;
  const auto kick = std::make_shared<gateway::LiveLook>();
  kick->query.rows = 0;
  kick->kick.emplace(gateway::LiveLook::Kick{"kick", gateway::PacedPlan(plan, 1)});
  crowd.look(kick);
  crowd.turn_until([&] { return crowd.has_looked(); });
  return kick->pages.front();
}

TEST(LiveTable, ShowsWhoStaysOfTwentyThousandWhoComeAndGo) {
  Crowd crowd;
  Dice dice(1);
  for (unsigned number = 0; number < kConnections; ++number) crowd.come();
  crowd.turn_until([&] { return crowd.connections() == kConnections; });
  Shown shown;
  gateway::LiveQuery query{.rows = kRows};
  unsigned pages = 0;
  do {
    // Of a page that need not count all the rest is not looked at.
    query.counts_all = ++pages % 4 == 0;
    query.after = look_at_page(crowd, dice, shown, query);
  } while (query.after && !testing::Test::HasFailure());
  EXPECT_GE(pages, kConnections / kRows);
  judge(crowd, shown);
  if (HasFailure()) return;

  crowd.turn_while_due();
  const std::size_t there = crowd.connections();
  EXPECT_EQ(kick_all(crowd).kicked, there);
  // Who takes his leave is not kicked once more.
  const gateway::LivePage again = kick_all(crowd);
  EXPECT_GT(again.matched, 0u);
  EXPECT_EQ(again.kicked, 0u);
  crowd.turn_until([&] {
    crowd.close_closed();
    return crowd.connections() == 0;
  });
  crowd.stop();
}

// Whoever goes when it is the next one to be looked at takes nobody behind it along.
TEST(LiveTable, GoesOnBehindTheNextOneThatGoes) {
  constexpr unsigned kFew = 100;
  for (unsigned ahead = 0; ahead < 6 && !HasFailure(); ++ahead) {
    Crowd crowd;
    for (unsigned number = 0; number < kFew; ++number) crowd.come();
    crowd.turn_until([&] { return crowd.connections() == kFew; });
    const auto look = std::make_shared<gateway::LiveLook>();
    look->query.rows = kRows;
    look->at_once = 1;
    crowd.look(look);
    const gateway::LivePage& page = look->pages.front();
    while (!crowd.has_looked()) {
      const std::size_t next = page.looked_at + ahead;
      if (next % 10 == 0 && next < kFew) crowd.go(static_cast<unsigned>(next));
      crowd.turn();
    }
    std::vector<unsigned> shown(kFew);
    for (const gateway::LiveRow& row : page.rows) ++shown[row.port - kFirstPort];
    for (unsigned number = 0; number < kFew; ++number) {
      EXPECT_LE(shown[number], 1u);
      EXPECT_TRUE(shown[number] == 1 || !crowd.is_there(number)) << number << ", " << ahead;
    }
    if (HasFailure()) return;
    crowd.turn_until([&] {
      crowd.close_all();
      return crowd.connections() == 0;
    });
    crowd.stop();
  }
}

}  // namespace
