// A question to a name server that answers as the test says, lies, or is silent.
#include "gateway/names/lookup.hh"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

namespace {

using namespace std::chrono_literals;
using gateway::config::Question;
using gateway::names::look_up_now;
using Bytes = std::vector<std::uint8_t>;

constexpr int kA = 1;
constexpr int kAaaa = 28;
constexpr std::uint8_t kServerFailure = 2;
constexpr std::uint8_t kNoSuchName = 3;

// What it says to a question of one type; nothing: no answer at all.
struct Say {
  std::uint8_t code = 0;
  std::uint8_t ttl_s = 30;
  std::vector<Bytes> addresses;
  bool with_a_wrong_id = false;
  bool is_rubbish = false;
};
using Answers = std::function<std::optional<Say>(int type)>;

class NameServer {
 public:
  // `timeout`: of one of two tries.
  explicit NameServer(Answers answers, std::chrono::milliseconds timeout = 10s)
      : answers_(std::move(answers)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t length = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    settings_.servers.push_back(
        *gateway::config::literal_address({"127.0.0.1", ntohs(address.sin_port)}));
    settings_.timeout = timeout;
    settings_.tries = 2;
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    ends_ = true;
    thread_.join();
    close(socket_);
  }

  auto look_up(const std::string& name = "app.test") const {
    return look_up_now({name}, settings_);
  }

 private:
  void serve() {
    while (!ends_) {
      pollfd waits{socket_, POLLIN, 0};
      if (poll(&waits, 1, 20) != 1) continue;
      Bytes question(512);
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      const ssize_t size = recvfrom(socket_, question.data(), question.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &length);
      if (size < 17) continue;
      question.resize(static_cast<std::size_t>(size));
      const Bytes answer = answer_to(question);
      if (!answer.empty())
        sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from),
               length);
    }
  }

  Bytes answer_to(const Bytes& question) const {
    std::size_t end = 12;
    while (end < question.size() && question[end] != 0) end += question[end] + 1u;
    const int type = question.at(end + 2);
    const auto say = answers_(type);
    if (!say) return {};
    if (say->is_rubbish) return Bytes(say->ttl_s, 0xff);
    Bytes answer(question.begin(), question.begin() + static_cast<long>(end + 5));
    if (say->with_a_wrong_id) answer[0] = static_cast<std::uint8_t>(answer[0] ^ 0xff);
    answer[2] = 0x81;
    answer[3] = static_cast<std::uint8_t>(0x80 | say->code);
    answer[7] = static_cast<std::uint8_t>(say->addresses.size());
    answer[10] = answer[11] = 0;
    for (const Bytes& address : say->addresses) {
      const auto kind = static_cast<std::uint8_t>(address.size() == 4 ? kA : kAaaa);
      for (const unsigned byte : {0xc0u, 12u, 0u, unsigned{kind}, 0u, 1u, 0u, 0u, 0u,
                                  unsigned{say->ttl_s}, 0u, unsigned(address.size())})
        answer.push_back(static_cast<std::uint8_t>(byte));
      answer.insert(answer.end(), address.begin(), address.end());
    }
    return answer;
  }

  const Answers answers_;
  int socket_ = -1;
  gateway::config::ResolverSettings settings_;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

const Bytes kFour = {10, 0, 0, 7};
const Bytes kOtherFour = {10, 0, 0, 8};
const Bytes kSix = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};

std::vector<std::string> texts(const gateway::config::Found& found) {
  std::vector<std::string> texts;
  for (const auto& address : found.targets.at(0).addresses) texts.push_back(address.text());
  return texts;
}

TEST(Lookup, FindsTheAddressesOfBothFamiliesAndTheLeastTime) {
  const NameServer server([](int type) {
    return type == kA ? Say{.ttl_s = 9, .addresses = {kFour, kOtherFour}}
                      : Say{.ttl_s = 5, .addresses = {kSix}};
  });
  const auto found = server.look_up();
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ(found->targets.at(0).addresses.size(), 3u);
  EXPECT_EQ(found->ttl, 5s);
  EXPECT_FALSE(found->targets[0].ipv4_unknown || found->targets[0].ipv6_unknown);
}

TEST(Lookup, SaysOfWhichFamilyNobodyKnows) {
  for (const bool is_silent : {false, true}) {
    const auto answers = [&](int type) -> std::optional<Say> {
      if (type == kA) return Say{.addresses = {kFour}};
      if (is_silent) return std::nullopt;
      return Say{.code = kServerFailure};
    };
    const NameServer server(answers, is_silent ? 1s : 10s);
    const auto found = server.look_up();
    ASSERT_TRUE(found) << found.error();
    EXPECT_EQ(texts(*found), std::vector<std::string>{"10.0.0.7:0"});
    EXPECT_TRUE(found->targets[0].ipv6_unknown);
    EXPECT_FALSE(found->targets[0].ipv4_unknown);
  }
}

TEST(Lookup, TakesADenialOfAFamilyForTheTruth) {
  const NameServer server([](int type) { return type == kA ? Say{.addresses = {kFour}} : Say{}; });
  const auto found = server.look_up();
  ASSERT_TRUE(found) << found.error();
  EXPECT_FALSE(found->targets[0].ipv6_unknown);
}

TEST(Lookup, SaysWhyItFindsNothing) {
  const struct {
    const char* name;
    Answers answers;
    const char* expected;
    std::chrono::milliseconds timeout = 10s;
  } cases[] = {
      {"no such name", [](int) { return Say{.code = kNoSuchName}; }, "there is no such name"},
      {"no address", [](int) { return Say{}; }, "it has no record of that kind"},
      {"silence", [](int) { return std::optional<Say>(); }, "no name server has answered", 150ms},
      {"an answer to nobody's question",
       [](int) { return Say{.addresses = {kFour}, .with_a_wrong_id = true}; },
       "no name server has answered", 150ms},
  };
  for (const auto& one : cases) {
    const NameServer server(one.answers, one.timeout);
    const auto found = server.look_up();
    ASSERT_FALSE(found) << one.name;
    EXPECT_EQ(found.error(), one.expected) << one.name;
  }
}

TEST(Lookup, FindsNothingInRubbish) {
  for (const unsigned size : {1u, 11u, 12u, 100u, 255u}) {
    const NameServer server(
        [&](int) { return Say{.ttl_s = static_cast<std::uint8_t>(size), .is_rubbish = true}; },
        150ms);
    EXPECT_FALSE(server.look_up()) << size;
  }
}

TEST(Lookup, FailsWhereThereIsNoServer) {
  gateway::config::ResolverSettings settings;
  settings.servers.push_back(*gateway::config::literal_address({"127.0.0.1", 1}));
  settings.timeout = 100ms;
  EXPECT_FALSE(look_up_now({"app.test"}, settings));
  EXPECT_FALSE(look_up_now({"_app._tcp.test", true}, settings));
}

}  // namespace
