// The export of spans on the simulated kernel, to collectors that do whatever a seed says: they
// take, reject, are busy, refuse, talk nonsense, are silent, slow, or gone. Whatever they do, each
// span has one end that is counted, the exporter never has more than one call, and it ends in time.
#include "gateway/tracing/exporter.hh"

#include <gtest/gtest.h>

#include <list>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "gateway/log/line.hh"
#include "gateway/log/render.hh"
#include "tests/gateway/config/text.hh"
#include "tests/uring/simulation.hh"

namespace gateway::tracing {
namespace {

using namespace std::chrono_literals;
using Stream = SimulatedKernel::Stream;

constexpr const char* kFirst = "127.0.0.1:4318";
constexpr const char* kSecond = "127.0.0.2:4318";

enum class Act {
  kTakes,
  kRejects,
  kIsBusy,
  kRefuses,
  kBabbles,
  kCloses,
  kResets,
  kIsSilent,
  kDrips
};

// What a collector has been sent on one connection, and what it does about that.
struct Talk {
  Stream stream;
  Act act = Act::kTakes;
  std::string request = {};
  std::string answer = {};
  bool answered = false;
};

class Collectors {
 public:
  Collectors(Dice& dice, SimulatedSystem& system) : dice_(dice), system_(system) {
    for (const char* site : {kFirst, kSecond}) system_.sites.emplace(site, SimulatedSystem::Site{});
  }

  void set_acts(std::vector<Act> acts) { acts_ = std::move(acts); }
  void answer_connects(int answer) {
    for (auto& [name, site] : system_.sites) site.answer = answer;
  }

  void silence(const std::string& site, bool connects) {
    system_.sites.at(site).answer = connects ? 0 : SimulatedKernel::kNoAnswer;
    silent_ = site;
  }

  void turn() {
    for (auto& [name, site] : system_.sites) {
      while (!site.arrived.empty()) {
        const Act drawn = acts_[dice_.between(0, acts_.size() - 1)];
        talks_.push_back({site.arrived.front(), name == silent_ ? Act::kIsSilent : drawn});
        site.arrived.pop_front();
      }
    }
    std::erase_if(talks_, [this](Talk& talk) { return is_over(talk); });
  }

  // Ids of spans in requests that were answered with a success, those of partial ones included.
  const std::multiset<std::string>& taken() const { return taken_; }
  std::uint64_t rejected() const { return rejected_; }
  std::size_t most_at_once() const { return most_at_once_; }
  const std::string& last_request() const { return last_request_; }

 private:
  bool is_over(Talk& talk) {
    most_at_once_ = std::max(most_at_once_, talks_.size());
    for (const std::byte byte : talk.stream->read(dice_.of_any_size(1, 1 << 16))) {
      talk.request += static_cast<char>(byte);
    }
    if (talk.stream->saw_reset()) return true;
    if (talk.act == Act::kResets && talk.request.size() > 10) {
      talk.stream->reset();
      return true;
    }
    if (!talk.answered && is_whole(talk.request)) answer(talk);
    write_some(talk);
    const bool said = talk.answered && talk.answer.empty();
    if (said && talk.act == Act::kCloses) talk.stream->shutdown_write();
    if (!talk.stream->saw_end()) return false;
    talk.stream->close();
    return true;
  }

  static bool is_whole(const std::string& request) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end == request.npos) return false;
    const std::size_t at = request.find("Content-Length: ");
    return request.size() >= end + 4 + std::stoul(request.substr(at + 16));
  }

  void answer(Talk& talk) {
    talk.answered = true;
    last_request_ = talk.request;
    const auto say = [&](std::string_view status, const std::string& body,
                         std::string_view more = "") {
      talk.answer = "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more) +
                    "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    switch (talk.act) {
      case Act::kTakes:
      case Act::kDrips:
        note(talk.request);
        return say("200 OK", "{}");
      case Act::kRejects:
        note(talk.request);
        ++rejected_;
        return say("200 OK", R"({"partialSuccess":{"rejectedSpans":"1"}})");
      case Act::kIsBusy:
        return say("503 Busy", "", "Retry-After: 7\r\n");
      case Act::kRefuses:
        return say("400 Bad", "no");
      case Act::kBabbles:
        talk.answer = "SSH-2.0-OpenSSH\r\n\r\n";
        return;
      case Act::kCloses:
      case Act::kResets:
      case Act::kIsSilent:
        return;
    }
  }

  void note(const std::string& request) {
    const auto body = nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4));
    for (const auto& span : body["resourceSpans"][0]["scopeSpans"][0]["spans"])
      taken_.insert(span["attributes"].back()["value"]["intValue"]);
  }

  void write_some(Talk& talk) {
    if (talk.answer.empty()) return;
    if (talk.act == Act::kDrips && !dice_.chance(1)) return;
    const std::size_t most = talk.act == Act::kDrips ? 1 : talk.answer.size();
    const auto bytes = std::as_bytes(std::span(talk.answer)).first(dice_.between(1, most));
    talk.answer.erase(0, talk.stream->write(bytes));
  }

  Dice& dice_;
  SimulatedSystem& system_;
  std::vector<Act> acts_ = {Act::kTakes};
  std::string silent_;
  std::list<Talk> talks_;
  std::multiset<std::string> taken_;
  std::uint64_t rejected_ = 0;
  std::size_t most_at_once_ = 0;
  std::string last_request_;
};

config::SharedGeneration generation_with(std::size_t queue) {
  auto config = config::read(
      config::complete() +
      "[defaults]\ntrace = \"create\"\n[tracing]\nendpoint = \"http://127.0.0.1:4318/v1/traces\"\n"
      "headers = { X-Key = \"secret\" }\ninterval = \"1s\"\ntimeout = \"2s\"\nqueue = " +
      std::to_string(queue) + "\n");
  return std::make_shared<const config::Generation>(config::Generation{1, *std::move(config)});
}

class World {
 public:
  explicit World(std::uint64_t seed, std::size_t queue = 1000)
      : kernel_(seed, {}, system_), loop_(kernel_), generation_(generation_with(queue)) {
    buffers_ = uring::ReceiveBuffers::create(kernel_, loop_.ready(), kFewBuffers).value();
    loop_.set_receive_buffers(*buffers_);
    links_.emplace(uring::LinkResources{loop_, *buffers_, batches_, plaintext_});
    exporter_.emplace(Exporter::Parts{.links = *links_,
                                      .log = Log(lines_, LogLevel::debug),
                                      .queue = queue_,
                                      .servers_of = [](const std::string&) { return servers(); },
                                      .instance = "test-1",
                                      .host = "test"});
    EXPECT_EQ(exporter_->open(), 0);
    exporter_->go_by(Exporter::Collector{generation_, nullptr});
    exporter_->start();
  }

  void add_span() {
    LogLine line(log_, LogLevel::info, "request", LineOf::span);
    SpanMark mark;
    mark.trace.fill('a');
    mark.id.fill('b');
    line.span(mark).number("id", added_++).write();
    ring_.drain([&](const LogRing::Record& record) { queue_->take(record); });
  }
  void turn() {
    collectors_.turn();
    loop_.turn(1ms);
  }
  void pass(std::chrono::milliseconds time) {
    const auto until = loop_.now() + time;
    while (loop_.now() < until) turn();
  }
  template <class Condition>
  bool turn_until(Condition condition) {
    return ::turn_until(loop_, 200'000, condition, [this] { collectors_.turn(); });
  }
  void stop() {
    const auto begun = loop_.now();
    auto story = exporter_->stop();
    story.start();
    ASSERT_TRUE(turn_until([&] { return story.done(); }));
    EXPECT_LE(loop_.now() - begun, Exporter::kLastTime + 1s);
    loop_.turn(50ms);
    EXPECT_EQ(loop_.in_flight(), 0u);
    EXPECT_EQ(buffers_->lent(), 0u);
    check_sums();
  }
  // Nothing is lost without a word, and nothing is taken twice.
  void check_sums() {
    const Exporter::Counts& counts = exporter_->counts();
    EXPECT_EQ(counts.exported + counts.rejected + counts.given_up + queue_->dropped(), added_);
    EXPECT_LE(counts.exported + counts.rejected, collectors_.taken().size());
    EXPECT_LE(collectors_.most_at_once(), 2u) << "one is asked, and one that has gone may linger";
  }
  std::string log() {
    std::string text;
    lines_.drain([&](const LogRing::Record& record) { append_line(text, record, "main"); });
    return text;
  }
  static std::vector<config::Server> servers() {
    config::Server server{.text = kFirst, .host = "127.0.0.1"};
    server.addresses = {*config::literal_address({"127.0.0.1", 4318}),
                        *config::literal_address({"127.0.0.2", 4318})};
    return {server};
  }

  Dice& dice() { return kernel_.dice(); }
  Exporter& exporter() { return *exporter_; }
  SpanQueue& queue() { return *queue_; }
  Collectors& collectors() { return collectors_; }
  uring::Loop& loop() { return loop_; }

 private:
  std::shared_ptr<SimulatedSystem> system_ = std::make_shared<SimulatedSystem>();
  SimulatedKernel kernel_;
  uring::Loop loop_;
  std::unique_ptr<uring::ReceiveBuffers> buffers_;
  uring::BatchPool batches_{1 << 20};
  std::vector<std::byte> plaintext_ = std::vector<std::byte>(1 << 16);
  std::optional<uring::LinkResources> links_;
  Collectors collectors_{kernel_.dice(), *system_};
  config::SharedGeneration generation_;
  LogRing lines_{"main", 1 << 16};
  LogRing ring_{"shard=0", 1 << 16};
  Log log_{ring_, LogLevel::error};
  std::shared_ptr<SpanQueue> queue_ = std::make_shared<SpanQueue>();
  std::optional<Exporter> exporter_;
  std::uint64_t added_ = 0;
};

TEST(Exporter, ExportsABatchWhenItsTimeHasCome) {
  World world(1);
  for (int i = 0; i < 3; ++i) world.add_span();
  world.pass(900ms);
  EXPECT_EQ(world.exporter().counts().exported, 0u);
  EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().exported == 3; }));
  EXPECT_EQ(world.collectors().taken(), (std::multiset<std::string>{"0", "1", "2"}));
  const std::string& request = world.collectors().last_request();
  EXPECT_TRUE(request.starts_with("POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:4318\r\n"));
  EXPECT_NE(request.find("\r\nContent-Type: application/json\r\n"), request.npos);
  EXPECT_NE(request.find("\r\nX-Key: secret\r\n\r\n{"), request.npos);
  EXPECT_EQ(world.log(), "");
  world.stop();
}

TEST(Exporter, WaitsForNoTimeWhereABatchIsFull) {
  World world(2);
  for (std::size_t i = 0; i < SpanQueue::kBatchSpans; ++i) world.add_span();
  const auto begun = world.loop().now();
  EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().exported > 0; }));
  EXPECT_LT(world.loop().now() - begun, 1s);
  EXPECT_EQ(world.exporter().counts().exported, SpanQueue::kBatchSpans);
  world.stop();
}

TEST(Exporter, TriesAgainWhatWasNotTakenAndSaysSoOnce) {
  World world(3);
  world.collectors().set_acts({Act::kIsBusy});
  world.add_span();
  EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().failures == 2; }));
  world.collectors().set_acts({Act::kTakes});
  EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().exported == 1; }));
  const std::string log = world.log();
  EXPECT_NE(log.find("cause=\"status 503\""), log.npos) << log;
  EXPECT_EQ(log.find("cause="), log.rfind("cause=")) << log;
  EXPECT_NE(log.find("the collector takes spans again"), log.npos) << log;
  world.stop();
}

TEST(Exporter, TriesAnotherAddressWhereOneIsSilent) {
  for (const bool connects : {false, true}) {
    World world(8);
    world.collectors().silence(kFirst, connects);
    world.add_span();
    EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().exported == 1; }));
    EXPECT_EQ(world.exporter().counts().failures, 1u);
    world.stop();
  }
}

TEST(Exporter, GivesUpWhatIsRefusedAndWhatNobodyTakes) {
  World world(4);
  world.collectors().set_acts({Act::kRefuses});
  world.add_span();
  EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().given_up == 1; }));
  EXPECT_EQ(world.exporter().counts().failures, 1u);
  world.collectors().answer_connects(ECONNREFUSED);
  world.add_span();
  EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().given_up == 2; }));
  EXPECT_EQ(world.exporter().counts().failures, 1u + Exporter::kAttempts);
  world.stop();
}

TEST(Exporter, DropsWhatFindsNoRoomBehindASilentCollector) {
  World world(5, 10);
  world.collectors().set_acts({Act::kIsSilent});
  for (int i = 0; i < 10; ++i) world.add_span();
  world.pass(1500ms);
  for (int i = 0; i < 30; ++i) world.add_span();
  EXPECT_EQ(world.queue().size(), 10u);
  EXPECT_EQ(world.queue().dropped(), 20u);
  EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().failures > 0; }));
  world.stop();
  EXPECT_EQ(world.queue().size(), 0u);
}

TEST(Exporter, ExportsWhatIsLeftAtTheEnd) {
  World world(6);
  for (int i = 0; i < 700; ++i) world.add_span();
  world.stop();
  EXPECT_EQ(world.exporter().counts().exported, 700u);
}

TEST(Exporter, ExportsNothingOnceTheConfigurationHasNone) {
  World world(7);
  world.collectors().set_acts({Act::kIsSilent});
  world.add_span();
  world.pass(1100ms);
  world.add_span();
  world.exporter().go_by(std::nullopt);
  EXPECT_EQ(world.queue().size(), 0u);
  EXPECT_TRUE(world.turn_until([&] { return world.exporter().counts().given_up == 1; }));
  EXPECT_TRUE(world.collectors().taken().empty());
  EXPECT_EQ(world.queue().dropped(), 1u);
  world.stop();
}

TEST(Exporter, AccountsForEachSpanWhateverCollectorsDo) {
  for_each_seed(300, [](std::uint64_t seed) {
    World world(seed, seed % 3 == 0 ? 20 : 1000);
    Dice& dice = world.dice();
    constexpr std::array kAll = {Act::kTakes,   Act::kRejects,  Act::kIsBusy,
                                 Act::kRefuses, Act::kBabbles,  Act::kCloses,
                                 Act::kResets,  Act::kIsSilent, Act::kDrips};
    for (int phase = 0; phase < 6; ++phase) {
      std::vector<Act> acts = {Act::kTakes};
      while (dice.chance(60)) acts.push_back(kAll[dice.between(0, kAll.size() - 1)]);
      world.collectors().set_acts(std::move(acts));
      const int answers[] = {0, 0, 0, ECONNREFUSED, SimulatedKernel::kNoAnswer, ENETUNREACH};
      world.collectors().answer_connects(answers[dice.between(0, std::size(answers) - 1)]);
      for (std::size_t spans = dice.of_any_size(1, 1500); spans > 0; --spans) {
        world.add_span();
        if (dice.chance(5)) world.turn();
      }
      world.pass(std::chrono::milliseconds(dice.of_any_size(1, 20'000)));
    }
    world.stop();
  });
}

}  // namespace
}  // namespace gateway::tracing
