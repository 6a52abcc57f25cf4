// Which servers pools have, and when the shards are told.
#include "gateway/process/server_lists.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/reader.hh"
#include "gateway/config/servers_command.hh"
#include "gateway/log/ring.hh"
#include "tests/uring/simulation.hh"

namespace {

using namespace gateway;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Texts = std::vector<std::string>;

config::Found found(std::initializer_list<const char*> addresses) {
  config::Target target{.host = "app.test"};
  for (const char* const address : addresses)
    target.addresses.push_back(*config::literal_address({address, 1}));
  return {{target}, 30s};
}

class ServerListsTest : public testing::Test {
 protected:
  static constexpr unsigned kShards = 2;

  ServerListsTest() { lists_.begin(config(), {}); }
  ~ServerListsTest() override { lists_.refuse(); }

  static config::Config config(const std::string& servers = "\"10.0.0.1:1\", \"app.test:1\"",
                               const std::string& more = "") {
    const config::Resolve resolve([](const config::HostPort&) -> config::Resolve::Addresses {
      return std::vector{*config::literal_address({"10.0.1.1", 1}),
                         *config::literal_address({"10.0.1.2", 1})};
    });
    auto read = config::read_text("[[listen]]\naddress = \"127.0.0.1:1\"\n[pool.app]\nservers = [" +
                                      servers + "]\n" + more + "[[route]]\npool = \"app\"\n",
                                  "t", resolve);
    EXPECT_TRUE(read) << read.error().front().text();
    return *std::move(read);
  }

  std::vector<config::ServerEntry> entries(std::vector<std::string> texts) {
    auto command = config::servers_command({"app", "set", std::move(texts)}, "/");
    EXPECT_TRUE(command) << command.error();
    return std::move(command->entries);
  }
  void set(std::vector<std::string> texts) {
    lists_.set("app", entries(std::move(texts)),
               [this](auto change) { changes_.push_back(change); });
  }
  // By the list that shards were given last.
  Texts told(std::size_t order) const {
    Texts texts;
    for (const PoolServers& pool : orders_.at(order).servers) {
      for (const config::Server& server : *pool.servers) texts.push_back(server.text);
    }
    return texts;
  }
  Texts now() const {
    Texts texts;
    for (const config::Server& server : lists_.servers_of("app")) texts.push_back(server.text);
    return texts;
  }
  void report(std::size_t closing = 0) {
    for (unsigned shard = 0; shard < kShards; ++shard)
      lists_.reported({.kind = Report::Kind::kServersTaken, .closing = closing});
  }
  void answer(names::Lookup::Result result) {
    ASSERT_FALSE(asked_.empty());
    const auto done = std::move(asked_.front());
    asked_.erase(asked_.begin());
    done(std::move(result));
  }

  Simulation simulation_{1};
  LogRing log_{"main", 1 << 16};
  Registry registry_;
  std::vector<ServersOrder> orders_;
  std::vector<names::Resolver::Done> asked_;
  std::vector<std::optional<ServerLists::Change>> changes_;
  std::size_t orphans_ = 0;
  unsigned forgotten_ = 0;
  Texts come_;
  ServerLists lists_{
      {.loop = simulation_.loop,
       .log = Log(log_, LogLevel::info),
       .shards = kShards,
       .registry = registry_,
       .ask = [this](const auto&, const auto&,
                     names::Resolver::Done done) { asked_.push_back(std::move(done)); },
       .tell = [this](const Order& order) { orders_.push_back(std::get<ServersOrder>(order)); },
       .orphans = [] { return std::optional<PacedPlan>(); },
       .on_orphans = [this](std::size_t closing) { orphans_ += closing; },
       .on_come = [this](
                      const auto&, const Texts& servers,
                      const auto&) { come_.insert(come_.end(), servers.begin(), servers.end()); },
       .on_forgotten = [this] { ++forgotten_; }}};
};

TEST_F(ServerListsTest, HasWhatTheConfigurationSays) {
  EXPECT_THAT(now(), ElementsAre("10.0.0.1:1", "app.test:1/10.0.1.1", "app.test:1/10.0.1.2"));
  EXPECT_EQ(lists_.origin_of("app", "10.0.0.1:1"), ServerLists::Origin::kFile);
  EXPECT_EQ(lists_.origin_of("app", "app.test:1/10.0.1.2"), ServerLists::Origin::kDns);
  EXPECT_THAT(orders_, IsEmpty());
}

TEST_F(ServerListsTest, TellsTheShardsWhatANameStandsForByNow) {
  lists_.start();
  answer(found({"10.0.1.2", "10.0.1.1"}));
  EXPECT_THAT(orders_, IsEmpty()) << "the same, in another order";
  lists_.look_again();
  answer(found({"10.0.1.2", "10.0.1.3"}));
  ASSERT_EQ(orders_.size(), 1u);
  EXPECT_THAT(told(0), ElementsAre("10.0.0.1:1", "app.test:1/10.0.1.2", "app.test:1/10.0.1.3"));
  lists_.look_again();
  answer(found({"10.0.1.4"}));
  EXPECT_EQ(orders_.size(), 1u) << "one order at a time";
  report();
  ASSERT_EQ(orders_.size(), 2u);
  EXPECT_THAT(told(1), ElementsAre("10.0.0.1:1", "app.test:1/10.0.1.4"));
  report();
  EXPECT_EQ(orders_.size(), 2u);
}

TEST_F(ServerListsTest, CallsServersWhatTheyAreCalledWhileTheyAreThere) {
  lists_.start();
  answer(found({"10.0.1.1", "2001:db8::1"}));
  EXPECT_THAT(now(), ElementsAre("10.0.0.1:1", "app.test:1/10.0.1.1", "app.test:1/2001:db8::1"));
  EXPECT_THAT(come_, ElementsAre("app.test:1/2001:db8::1"));
  lists_.look_again();
  answer(found({"10.0.2.1", "2001:db8::2"}));
  EXPECT_THAT(now(), ElementsAre("10.0.0.1:1", "app.test:1"));
  lists_.look_again();
  answer(found({"10.0.2.1", "2001:db8::2", "10.0.2.2"}));
  EXPECT_THAT(now(), ElementsAre("10.0.0.1:1", "app.test:1", "app.test:1/10.0.2.2"));
  lists_.adopt(config("\"app.test:1\""));
  EXPECT_THAT(now(), ElementsAre("app.test:1", "app.test:1/10.0.2.2"));
  EXPECT_EQ(come_.size(), 3u);
}

TEST_F(ServerListsTest, SaysSoOnceAllShardsHaveWhatWasSet) {
  lists_.start();
  set({"10.0.0.2:1=3"});
  ASSERT_EQ(orders_.size(), 1u);
  EXPECT_EQ(orders_[0].servers.at(0).servers->at(0).weight, 3u);
  EXPECT_THAT(changes_, IsEmpty());
  lists_.reported({.kind = Report::Kind::kServersTaken, .closing = 2});
  EXPECT_THAT(changes_, IsEmpty());
  lists_.reported({.kind = Report::Kind::kServersTaken, .closing = 1});
  ASSERT_EQ(changes_.size(), 1u);
  ASSERT_TRUE(changes_[0]);
  EXPECT_EQ(changes_[0]->added, 1u);
  EXPECT_EQ(changes_[0]->removed, 3u);
  EXPECT_EQ(changes_[0]->closing, 3u);
  EXPECT_EQ(orphans_, 3u);
  set({"10.0.0.2:1=3"});
  ASSERT_EQ(changes_.size(), 2u) << "at once: nothing is another";
  EXPECT_EQ(changes_[1]->added + changes_[1]->removed, 0u);
}

TEST_F(ServerListsTest, TellsOfServersThatAreGoneWhileSomethingIsLeftThere) {
  lists_.start();
  const auto state = registry_.server("app", "10.0.0.1:1");
  state->begin();
  set({"10.0.0.2:1"});
  Texts gone;
  const auto note = [&](const std::string& text, const ServerState&) { gone.push_back(text); };
  lists_.for_each_gone("app", note);
  EXPECT_THAT(gone, ElementsAre("10.0.0.1:1"));
  state->end();
  gone.clear();
  lists_.for_each_gone("app", note);
  EXPECT_THAT(gone, IsEmpty());
}

TEST_F(ServerListsTest, KeepsWhatWasSetWhileTheFileHasTheSameServers) {
  lists_.start();
  set({"10.0.0.2:1"});
  report();
  const auto same =
      lists_.adopt(config("\"10.0.0.1:1\", \"app.test:1\"", "balance = \"least-connections\"\n"));
  ASSERT_EQ(same.size(), 1u);
  EXPECT_EQ(same[0].servers->at(0).text, "10.0.0.2:1");
  EXPECT_EQ(forgotten_, 0u);
  EXPECT_EQ(lists_.told().size(), 1u);
  const auto other = lists_.adopt(config("\"10.0.0.1:1\""));
  EXPECT_THAT(other, IsEmpty()) << "as the configuration says";
  EXPECT_THAT(now(), ElementsAre("10.0.0.1:1"));
  EXPECT_EQ(forgotten_, 1u);
  EXPECT_TRUE(lists_.told().empty());
}

TEST_F(ServerListsTest, ForgetsWhatDoesNotGoWithANewerConfiguration) {
  lists_.start();
  set({"unix:/run/app.sock"});
  report();
  const std::string same = "\"10.0.0.1:1\", \"app.test:1\"";
  lists_.adopt(config(same, "health = { type = \"tcp\" }\n"));
  EXPECT_THAT(now(), ElementsAre("unix:/run/app.sock"));
  EXPECT_EQ(forgotten_, 0u);
  lists_.adopt(config(same, "health = { type = \"tcp\", port = 8080 }\n"));
  EXPECT_EQ(now().front(), "10.0.0.1:1");
  EXPECT_EQ(forgotten_, 1u);
  EXPECT_TRUE(lists_.told().empty());
}

TEST_F(ServerListsTest, TakesWhatNamesStandForIntoANewerGeneration) {
  lists_.start();
  answer(found({"10.0.1.9"}));
  EXPECT_EQ(orders_.size(), 1u);
  const auto servers = lists_.adopt(config("\"app.test:1\""));
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_EQ(servers[0].servers->at(0).text, "app.test:1/10.0.1.9");
}

TEST_F(ServerListsTest, BeginsWithWhatAnEarlierProcessWasTold) {
  const std::string file = config::print_entries(config().pools[0].entries);
  const auto servers = lists_.begin(config(), {{"app", {file, entries({"10.0.0.7:1"})}}});
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_EQ(servers[0].servers->at(0).text, "10.0.0.7:1");
  EXPECT_EQ(lists_.origin_of("app", "10.0.0.7:1"), ServerLists::Origin::kControl);
  const auto others = lists_.begin(config(), {{"app", {"other", entries({"10.0.0.7:1"})}}});
  EXPECT_EQ(now().front(), "10.0.0.1:1") << "the file has other servers than then";
}

TEST_F(ServerListsTest, RefusesWhoeverWaitsAtTheStop) {
  lists_.start();
  set({"10.0.0.2:1"});
  set({"10.0.0.3:1"});
  lists_.refuse();
  set({"10.0.0.4:1"});
  ASSERT_EQ(changes_.size(), 3u);
  for (const auto& change : changes_) EXPECT_FALSE(change);
  EXPECT_EQ(orders_.size(), 1u);
}

}  // namespace
