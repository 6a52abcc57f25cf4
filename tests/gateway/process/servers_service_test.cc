// `gateway servers` while the gateway stops: what is answered is what the next start finds.
#include "gateway/process/servers_service.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "gateway/config/reader.hh"
#include "gateway/log/ring.hh"
#include "gateway/process/state_file.hh"
#include "tests/temporary_folder.hh"
#include "tests/uring/simulation.hh"

namespace {

using namespace gateway;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ServersServiceTest : public testing::Test {
 protected:
  ~ServersServiceTest() override { lists_.refuse(); }

  void serve(const std::string& state) {
    const config::Resolve resolve([](const config::HostPort&) -> config::Resolve::Addresses {
      return std::unexpected("nobody asks");
    });
    auto read = config::read_text(
        "[[listen]]\naddress = \"127.0.0.1:1\"\n[pool.app]\nservers = [\"10.0.0.1:1\"]\n"
        "[[route]]\npool = \"app\"\n",
        "t", resolve);
    ASSERT_TRUE(read) << read.error().front().text();
    read->control.state = state;
    serving_ = std::make_shared<const config::Generation>(1, *std::move(read));
    lists_.begin(serving_->config, {});
    lists_.start();
  }
  void add(const std::string& server) {
    auto command = config::servers_command({"app", "add", {server}}, "/");
    ASSERT_TRUE(command) << command.error();
    service_.obey(config::line_of(*command),
                  [this](const Control::Answer& answer) { answers_.push_back(answer); });
  }
  std::string answer_with(const std::string& part) const {
    std::string found;
    for (const Control::Answer& answer : answers_) {
      EXPECT_FALSE(answer.done) << answer.text;
      if (answer.text.find(part) != std::string::npos) found += answer.text;
    }
    return found;
  }

  TemporaryFolder folder_;
  std::string path_ = (folder_.path() / "servers.toml").string();
  Simulation simulation_{1};
  LogRing log_{"main", 1 << 16};
  Registry registry_;
  config::SharedGeneration serving_;
  std::vector<Order> orders_;
  std::vector<Control::Answer> answers_;
  std::vector<names::Resolver::Done> asked_;
  names::NameBook::Ask ask_ = [this](const auto&, const auto&, names::Resolver::Done done) {
    asked_.push_back(std::move(done));
  };
  ServerLists lists_{{.loop = simulation_.loop,
                      .log = Log(log_, LogLevel::info),
                      .shards = 2,
                      .registry = registry_,
                      .ask = ask_,
                      .tell = [this](const Order& order) { orders_.push_back(order); },
                      .orphans = [] { return std::optional<PacedPlan>(); },
                      .on_orphans = [](std::size_t) {},
                      .on_forgotten = [] {}}};
  ServersService service_{{.loop = simulation_.loop,
                           .serving = serving_,
                           .lists = lists_,
                           .ask = ask_,
                           .log = Log(log_, LogLevel::info)}};
};

TEST_F(ServersServiceTest, BeginsNothingMoreOnceTheListsAreClosed) {
  serve(path_);
  for (const char* const server : {"10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1"}) add(server);
  EXPECT_EQ(orders_.size(), 1u);
  EXPECT_THAT(answers_, IsEmpty());
  lists_.refuse();
  ASSERT_EQ(answers_.size(), 3u);
  EXPECT_EQ(answer_with("refused: the gateway is stopping").size(),
            2 * std::string("gateway: error: refused: the gateway is stopping\n").size());
  EXPECT_THAT(answer_with("kept in"), HasSubstr("the next start"));
  const auto kept = read_state_file(path_);
  ASSERT_TRUE(kept) << kept.error();
  EXPECT_THAT(*kept, AllOf(HasSubstr("10.0.0.2:1"), Not(HasSubstr("10.0.0.3:1")),
                           Not(HasSubstr("10.0.0.4:1"))));
}

TEST_F(ServersServiceTest, DoesNotWaitForNameServersForEver) {
  serve("");
  add("app.test:1");
  add("10.0.0.2:1");
  ASSERT_EQ(asked_.size(), 1u);
  const auto begun = simulation_.loop.now();
  EXPECT_TRUE(simulation_.turn_until([&] { return !answers_.empty(); }));
  EXPECT_GE(simulation_.loop.now() - begun, ServersService::kNamesTime);
  EXPECT_EQ(answers_[0].text,
            "gateway: error: server 'app.test:1': its name was not looked up within 1m; nothing "
            "has changed\n");
  EXPECT_EQ(orders_.size(), 1u) << "the next one's turn";
  asked_[0](std::unexpected("too late"));
  EXPECT_EQ(answers_.size(), 1u);
}

TEST_F(ServersServiceTest, RefusesWhatIsKeptNowhere) {
  serve("");
  add("10.0.0.2:1");
  service_.refuse("pid 7 serves now");
  EXPECT_THAT(answers_, IsEmpty()) << "it is ordered";
  lists_.refuse();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].text, "gateway: error: refused: pid 7 serves now\n");
  add("10.0.0.3:1");
  EXPECT_EQ(answers_.size(), 2u);
}

}  // namespace
