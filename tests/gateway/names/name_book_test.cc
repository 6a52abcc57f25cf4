// When names are looked up again, and what is kept where they cannot be.
#include "gateway/names/name_book.hh"

#include <gtest/gtest.h>

#include <vector>

#include "gateway/log/render.hh"
#include "tests/uring/simulation.hh"

namespace {

using namespace std::chrono_literals;
using gateway::config::Found;
using gateway::config::Question;
using gateway::names::Lookup;
using gateway::names::NameBook;
using gateway::names::Resolver;
using Lines = std::vector<std::string>;

Found found(const char* address, std::chrono::seconds ttl = 0s) {
  return {{{.host = "app", .addresses = {*gateway::config::literal_address({address, 1})}}}, ttl};
}

class NameBookTest : public testing::Test {
 protected:
  ~NameBookTest() override { book_.stop(); }

  void pass(std::chrono::milliseconds time) {
    const auto until = simulation_.loop.now() + time;
    EXPECT_TRUE(simulation_.turn_until([&] { return simulation_.loop.now() >= until; }));
  }
  void answer(const Lookup::Result& result) {
    ASSERT_FALSE(asked_.empty());
    const Resolver::Done done = std::move(asked_.front());
    asked_.erase(asked_.begin());
    done(result);
  }
  std::string address() const { return book_.find(kApp)->targets.at(0).addresses.at(0).text(); }
  Lines lines() {
    Lines lines;
    log_.drain(
        [&](const gateway::LogRing::Record& record) { lines.push_back(gateway::text_of(record)); });
    return lines;
  }

  const Question kApp{"app"};
  Simulation simulation_{1};
  gateway::LogRing log_{"main", 1 << 16};
  std::vector<Resolver::Done> asked_;
  unsigned changes_ = 0;
  gateway::config::ResolverSettings settings_;
  NameBook book_{simulation_.loop, gateway::Log(log_, gateway::LogLevel::info),
                 [this](const Question&, const gateway::config::ResolverSettings&,
                        Resolver::Done done) { asked_.push_back(std::move(done)); },
                 [this] { ++changes_; }};
};

TEST_F(NameBookTest, AsksAtOnceWhereNobodyHasSaidHowLongItHolds) {
  book_.keep({{kApp, found("10.0.0.1")}}, settings_);
  ASSERT_EQ(asked_.size(), 1u);
  answer(found("10.0.0.1", 30s));
  EXPECT_EQ(changes_, 0u) << "it is what was known";
  pass(29s);
  EXPECT_TRUE(asked_.empty());
  pass(2s);
  ASSERT_EQ(asked_.size(), 1u);
  answer(found("10.0.0.2", 30s));
  EXPECT_EQ(changes_, 1u);
  EXPECT_EQ(address(), "10.0.0.2:1");
}

TEST_F(NameBookTest, KeepsToTheBoundsOfTheTimeToLive) {
  settings_.ttl_min = 5s;
  settings_.ttl_max = 60s;
  book_.keep({{kApp, found("10.0.0.1", 86'400s)}}, settings_);
  EXPECT_TRUE(asked_.empty());
  pass(61s);
  ASSERT_EQ(asked_.size(), 1u);
  answer(found("10.0.0.1", 0s));
  pass(4s);
  EXPECT_TRUE(asked_.empty());
  pass(2s);
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(NameBookTest, KeepsWhatItHasFoundAndSaysOnceThatItFails) {
  book_.keep({{kApp, found("10.0.0.1", 1s)}}, settings_);
  for (int time = 0; time < 4; ++time) {
    pass(31s);
    ASSERT_EQ(asked_.size(), 1u) << "one at a time, and again and again";
    answer(std::unexpected("there is no such name"));
    EXPECT_TRUE(book_.is_failing(kApp));
  }
  EXPECT_EQ(address(), "10.0.0.1:1");
  EXPECT_EQ(lines(),
            Lines{"name name=\"app\" state=failing cause=\"there is no such name\": what was "
                  "found last goes on"});
  pass(31s);
  answer(found("10.0.0.1", 30s));
  EXPECT_EQ(lines(), Lines{"name name=\"app\" state=fine"});
  EXPECT_EQ(changes_, 0u);
  EXPECT_FALSE(book_.is_failing(kApp));
}

TEST_F(NameBookTest, TriesLessOftenTheLongerItFails) {
  book_.keep({{kApp, found("10.0.0.1")}}, settings_);
  std::vector<long> waits;
  for (int time = 0; time < 7; ++time) {
    answer(std::unexpected("no"));
    const auto begin = simulation_.loop.now();
    EXPECT_TRUE(simulation_.turn_until([&] { return !asked_.empty(); }));
    waits.push_back(
        std::chrono::round<std::chrono::seconds>(simulation_.loop.now() - begin).count());
  }
  EXPECT_EQ(waits, (std::vector<long>{1, 2, 4, 8, 16, 30, 30}));
}

TEST_F(NameBookTest, TakesAnAnswerWithoutAnAddressForAFailure) {
  book_.keep({{kApp, found("10.0.0.1")}}, settings_);
  answer(Found{});
  EXPECT_EQ(address(), "10.0.0.1:1");
  EXPECT_TRUE(book_.is_failing(kApp));
}

TEST_F(NameBookTest, HearsNoAnswerOfANameThatItKeepsNoMore) {
  book_.keep({{kApp, found("10.0.0.1")}}, settings_);
  book_.keep({}, settings_);
  answer(found("10.0.0.2", 30s));
  EXPECT_EQ(changes_, 0u);
  EXPECT_EQ(book_.find(kApp), nullptr);
  pass(60s);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(NameBookTest, TakesWhatAReloadHasFoundOnlyWhereItFails) {
  book_.keep({{kApp, found("10.0.0.1")}}, settings_);
  answer(found("10.0.0.2", 30s));
  book_.keep({{kApp, found("10.0.0.1")}}, settings_);
  EXPECT_EQ(address(), "10.0.0.2:1");
  ASSERT_EQ(asked_.size(), 1u) << "a reload looks again";
  answer(std::unexpected("no"));
  book_.keep({{kApp, found("10.0.0.3")}}, settings_);
  EXPECT_EQ(address(), "10.0.0.3:1");
}

TEST_F(NameBookTest, AsksNothingMoreOnceItIsStopped) {
  book_.keep({{kApp, found("10.0.0.1", 1s)}}, settings_);
  book_.stop();
  pass(60s);
  book_.look_again();
  EXPECT_TRUE(asked_.empty());
}

}  // namespace
