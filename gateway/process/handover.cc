#include "gateway/process/handover.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace gateway {

std::string print_handover(const HandoverPlaces& places) {
  return fmt::format("{} {} {} {}", places.pid, places.channel, places.standard_error, places.left);
}

std::unique_ptr<Handover> Handover::from_environment() {
  const char* const text = std::getenv(kHandoverVariable);
  HandoverPlaces places{};
  const bool is_whole =
      text != nullptr && std::sscanf(text, "%d %d %d %zu", &places.pid, &places.channel,
                                     &places.standard_error, &places.left) == 4;
  unsetenv(kHandoverVariable);
  if (!is_whole || places.pid != getpid()) return nullptr;
  for (const int descriptor : {places.channel, places.standard_error}) {
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) return nullptr;  // there is none
  }
  return std::unique_ptr<Handover>(new Handover(places));
}

Handover::~Handover() {
  if (!listening_) close(places_.channel);
  if (places_.standard_error >= 0) close(places_.standard_error);
}

bool Handover::say(std::string_view words) const {
  return send(places_.channel, words.data(), words.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(words.size());
}

void Handover::put_stderr_back() {
  dup2(places_.standard_error, STDERR_FILENO);
  close(std::exchange(places_.standard_error, -1));
}

std::expected<void, std::string> Handover::report_ready(const std::vector<bool>& taken) {
  std::string words(1, kReadyWord);
  for (const bool one : taken) words += one ? kHasSocket : kHasNotSocket;
  const std::unexpected gone("the gateway that was to be succeeded has gone, or goes on by itself");
  if (!say(words)) return gone;
  pollfd readable{places_.channel, POLLIN, 0};
  const auto patience = std::chrono::milliseconds(kPatience);
  int count = -1;
  do {
    count = poll(&readable, 1, static_cast<int>(patience.count()));
  } while (count < 0 && errno == EINTR);
  char word = 0;
  if (count != 1 || recv(places_.channel, &word, 1, MSG_DONTWAIT) != 1 || word != kGoWord)
    return gone;
  put_stderr_back();
  return {};
}

void Handover::report_serving(uring::Loop& loop, std::function<void()> taken_over) {
  (void)say({&kServingWord, 1});  // where nobody hears it, nobody serves but this process
  auto heard = [this, taken_over = std::move(taken_over)](std::string_view word) {
    const bool is_last = word.empty() || word.front() == kMainWord;
    if (!is_last || std::exchange(is_main_, true)) return;
    taken_over();
    (void)say({&kTakenOverWord, 1});
  };
  listening_ = std::make_unique<DescriptorReader>(loop, places_.channel, 1, std::move(heard));
  listening_->start();
}

uring::Task<> Handover::stop() {
  if (listening_) co_await listening_->stop();
}

}  // namespace gateway
