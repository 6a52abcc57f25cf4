#include "gateway/process/upgrade.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gateway/config/units.hh"
#include "gateway/process/handover.hh"

namespace gateway {
namespace {

constexpr std::size_t kWordsBytes = 4096;
constexpr std::string_view kNoSpawner =
    "the process that starts successors has gone: only a restart brings it back";

std::string text_of_end(int status) {
  if (WIFSIGNALED(status)) {
    const char* const name = sigabbrev_np(WTERMSIG(status));
    return fmt::format("it was ended by SIG{}", name != nullptr ? name : "?");
  }
  return fmt::format("it ended with status {}", WEXITSTATUS(status));
}

}  // namespace

Upgrade::Upgrade(uring::Loop& loop, Log log, Spawner* spawner, std::string why_none,
                 Succeeded& succeeded)
    : loop_(loop),
      log_(log),
      spawner_(spawner),
      why_none_(std::move(why_none)),
      succeeded_(succeeded),
      deadline_(*this, loop.timers()),
      happened_(loop.ready()),
      quiet_(loop.ready()) {}

void Upgrade::request(std::chrono::milliseconds patience, Answer answer) {
  if (under_way()) return refuse("one is under way", answer);
  patience_ = patience;
  answer_ = std::move(answer);
  quiet_.clear();
  story_ = story();
  story_.start();
}

void Upgrade::refuse(const std::string& why, const Answer& answer) {
  log_.warning("upgrade: refused: {}", why);
  if (answer) answer({.done = false, .lines = {"refused: " + why}});
}

void Upgrade::abandon() {
  abandoned_ = true;
  if (under_way() && successor_ == 0) fail("this process stops");
}

uring::Task<> Upgrade::stop() {
  abandon();
  if (under_way()) co_await quiet_.wait();
  if (reports_) co_await reports_->stop();
}

uring::Task<> Upgrade::story() {
  co_await try_successor();
  if (!failure_.empty()) co_await end_successor();
  deadline_.disarm();
  co_await be_quiet();
  finish();
}

uring::Task<> Upgrade::try_successor() {
  const bool begun = begin();
  if (!begun) co_return;
  deadline_.arm(loop_.now() + patience_);
  while (failure_.empty() && (taken_.empty() || pid_ == 0)) {
    happened_.clear();
    co_await happened_.wait();
  }
  if (!failure_.empty()) co_return;
  may_go_ = true;
  spawner_->spare_successor();
  if (!say(kGoWord)) fail("it has gone");
  deadline_.arm(loop_.now() + kServingTime);
  while (failure_.empty() && !serves_) {
    happened_.clear();
    co_await happened_.wait();
  }
  if (!failure_.empty()) co_return;
  succeeded_.announce(pid_);
  if (!say(kMainWord)) {
    succeeded_.withdraw();
    fail("it has gone as it began to serve");
    co_return;
  }
  successor_ = pid_;
  spawner_->release();
  log_.info("upgrade: pid {} serves now; draining", successor_);
  succeeded_.hand_over(successor_, addresses_taken());
  // Its pid file and its control socket are for whoever hears that it is done.
  late_ = false;
  deadline_.arm(loop_.now() + kTakingOverTime);
  while (!late_ && !has_taken_over_) {
    happened_.clear();
    co_await happened_.wait();
  }
}

// False: it has failed already.
bool Upgrade::begin() {
  result_ = {};
  failure_.clear();
  taken_.clear();
  line_.clear();
  lines_ = 0;
  pid_ = 0;
  started_ = ended_ = may_go_ = serves_ = has_taken_over_ = late_ = false;
  if (spawner_ == nullptr) {
    fail(why_none_);
  } else if (reports_ && reports_->ended()) {
    fail(std::string(kNoSpawner));
  } else {
    sockets_ = succeeded_.sockets();
    log_.info("upgrade: starting {}", spawner_->program());
    const int error = start_successor();
    if (error != 0) fail(fmt::format("it cannot be started: {}", strerrordesc_np(error)));
  }
  return failure_.empty();
}

// 0, or errno.
int Upgrade::start_successor() {
  if (sockets_.size() > kSocketsHandedDownMax) return E2BIG;
  if (const int error = listen_to_spawner(); error != 0) return error;
  std::array<int, 2> channel{};
  std::array<int, 2> words{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel.data()) != 0) return errno;
  channel_ = std::make_unique<DescriptorReader>(
      loop_, channel[0], kSocketsHandedDownMax + 1,
      [this](std::string_view packet) { heard_in_channel(packet); });
  int error = pipe2(words.data(), O_CLOEXEC) == 0 ? 0 : errno;
  if (error == 0) {
    words_ = std::make_unique<DescriptorReader>(
        loop_, words[0], kWordsBytes, [this](std::string_view piece) { heard_words(piece); });
    error = give(channel[1], words[1]);
    close(words[1]);
  }
  close(channel[1]);
  if (error != 0) return error;
  started_ = true;
  channel_->start();
  words_->start();
  return 0;
}

int Upgrade::listen_to_spawner() {
  if (reports_) return 0;
  const int own = fcntl(spawner_->descriptor(), F_DUPFD_CLOEXEC, 0);
  if (own < 0) return errno;
  reports_ = std::make_unique<DescriptorReader>(
      loop_, own, sizeof(Spawner::Report),
      [this](std::string_view packet) { heard_of_spawner(packet); });
  reports_->start();
  return 0;
}

int Upgrade::give(int channel, int standard_error) {
  const auto others = std::stable_partition(sockets_.begin(), sockets_.end(),
                                            [](const auto& socket) { return socket.ours_alone; });
  std::vector<int> descriptors;
  for (const auto& socket : sockets_) descriptors.push_back(socket.descriptor);
  return spawner_->start_successor({.sockets = descriptors,
                                    .left = static_cast<std::size_t>(others - sockets_.begin()),
                                    .channel = channel,
                                    .standard_error = standard_error});
}

// One that may have let clients in serves them to their end; any other one has nothing to lose.
uring::Task<> Upgrade::end_successor() {
  if (started_ && abandoned_ && may_go_) {
    spawner_->signal_successor(SIGTERM);
    spawner_->release();
    co_return;
  }
  if (started_) spawner_->signal_successor(SIGKILL);
  // It is not to take this process for gone, and serve beside it.
  if (!started_ && may_go_ && pid_ != 0 && !ended_) kill(pid_, SIGKILL);
  late_ = false;
  deadline_.arm(loop_.now() + kLastWordsTime);
  while (!late_ && (started_ || (pid_ != 0 && !words_->ended()))) {
    happened_.clear();
    co_await happened_.wait();
  }
}

uring::Task<> Upgrade::be_quiet() {
  if (channel_) co_await channel_->stop();
  if (words_) co_await words_->stop();
  channel_.reset();
  words_.reset();
  sockets_.clear();
}

void Upgrade::finish() {
  tell_line(std::exchange(line_, {}));
  if (failure_.empty()) {
    result_.lines = {fmt::format("upgraded: pid {} serves", successor_)};
    result_.done = true;
  } else {
    ++failures_;
    const std::string told = "upgrade: failed: " + failure_;
    log_.error("{}{}", told, abandoned_ ? "" : "; this process goes on");
    result_.lines.push_back(abandoned_ ? told : fmt::format("{}; pid {} goes on", told, getpid()));
  }
  if (const Answer answer = std::exchange(answer_, {})) answer(result_);
  quiet_.set();
}

void Upgrade::heard_of_spawner(std::string_view packet) {
  Spawner::Report report{};
  if (packet.size() != sizeof report) {
    started_ = false;
    // One that may go needs it no more.
    if (under_way() && successor_ == 0 && !may_go_) fail(std::string(kNoSpawner));
    return;
  }
  std::memcpy(&report, packet.data(), sizeof report);
  using Kind = Spawner::Report::Kind;
  if (report.kind == Kind::kStarted) pid_ = report.value;
  if (report.kind == Kind::kFailed || report.kind == Kind::kEnded) {
    started_ = false;
    ended_ = true;
  }
  if (report.kind == Kind::kFailed)
    fail(fmt::format("it cannot be executed: {}", strerrordesc_np(report.value)));
  if (report.kind == Kind::kEnded) fail(text_of_end(report.value));
  happened_.set();
}

void Upgrade::heard_in_channel(std::string_view packet) {
  if (packet.empty() && may_go_) fail("it has ended the talk");
  if (packet.size() == sockets_.size() + 1 && packet.front() == kReadyWord && taken_.empty())
    taken_ = packet;
  if (may_go_ && !packet.empty() && packet.front() == kServingWord) serves_ = true;
  if (successor_ != 0) has_taken_over_ = true;  // by its word, or by its end
  happened_.set();
}

void Upgrade::heard_words(std::string_view piece) {
  if (piece.empty()) happened_.set();
  for (const char one : piece) {
    if (one != '\n' && line_.size() < kLineBytesMax) {
      line_ += one;
      continue;
    }
    tell_line(std::exchange(line_, {}));
    if (one != '\n') line_ += one;
  }
}

void Upgrade::tell_line(std::string_view line) {
  if (line.empty() || lines_ > kLinesMax) return;
  if (++lines_ > kLinesMax) line = "(more, which is left out)";
  log_.warning("upgrade: successor: {}", line);
  result_.lines.emplace_back(line);
}

void Upgrade::on_deadline() {
  late_ = true;
  if (failure_.empty() && may_go_) fail("it did not begin to serve");
  if (failure_.empty())
    fail(fmt::format("it was not ready in {} ([upgrade] patience)",
                     config::print_duration(patience_)));
  happened_.set();
}

// The first cause is the one.
void Upgrade::fail(std::string why) {
  if (failure_.empty() && successor_ == 0) failure_ = std::move(why);
  happened_.set();
}

bool Upgrade::say(char word) const {
  return send(channel_->descriptor(), &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

// An address is the successor's if it has all of its sockets.
std::vector<config::Address> Upgrade::addresses_taken() const {
  std::vector<config::Address> taken;
  for (const bool wanted : {true, false}) {
    for (std::size_t index = 0; index < sockets_.size(); ++index) {
      const config::Address& address = sockets_[index].address;
      const bool has = taken_[index + 1] == kHasSocket;
      if (has != wanted) continue;
      if (!has) std::erase(taken, address);
      if (has && std::ranges::find(taken, address) == taken.end()) taken.push_back(address);
    }
  }
  return taken;
}

}  // namespace gateway
