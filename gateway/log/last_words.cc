#include "gateway/log/last_words.hh"

#include <unistd.h>

#include <atomic>
#include <cstring>

#include "gateway/log/file.hh"
#include "uring/check.hh"

// Signal handlers and uring's CHECK reach no object of ours but through statics.

namespace gateway {
namespace {

constexpr std::chrono::milliseconds kStderrPatience{100};

std::atomic<LogWriter*> the_writer{nullptr};
std::atomic<pid_t> speaker{0};  // the thread that failed first
std::array<char, 600> words;    // the speaker's
std::array<struct sigaction, LastWords::kSignals.size()> before;

// `what` is followed by ` detail`, where there is one. Async-signal-safe.
void set_words(const char* what, const char* detail) {
  char* const end = words.data() + words.size() - 1;
  char* to = stpncpy(words.data(), what, words.size() - 1);
  if (detail == nullptr || to == end) return;
  stpncpy(to, detail, static_cast<size_t>(end - to));
}

// In the thread that fails. Whoever fails meanwhile waits, too, before it ends the process.
void say(const char* what, const char* detail = nullptr) {
  LogWriter* const writer = the_writer;
  const pid_t self = gettid();
  pid_t first = 0;
  const bool speaks = speaker.compare_exchange_strong(first, self);
  if (first == self) return;  // abort() behind a CHECK
  if (speaks) set_words(what, detail);
  const bool can_wait = writer != nullptr && !writer->is_this_thread();
  if (can_wait && speaks) writer->flush_with(words.data());
  if (can_wait && !speaks) writer->flush();
  // Beside another writer, room that was seen may be gone.
  if (!speaks || (can_wait && writer->reaches_stderr())) return;
  write_to_stderr(words.data(), kStderrPatience);
  write_to_stderr("\n", kStderrPatience);
}

void on_check_failed(const char* sentence) {
  say(sentence);
}

void on_signal(int signal, siginfo_t* info, void*) {
  say("ended by a signal: ", sigdescr_np(signal));
  for (size_t i = 0; i < before.size(); ++i) {
    if (LastWords::kSignals[i] == signal) sigaction(signal, &before[i], nullptr);
  }
  // A fault comes again when the instruction does, with all that a core file should show.
  if (info->si_code <= 0) raise(signal);
}

}  // namespace

LastWords::LastWords(LogWriter& writer) {
  the_writer = &writer;
  uring::check_reporter = on_check_failed;
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before[i]);
}

LastWords::~LastWords() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
  uring::check_reporter = nullptr;
  the_writer = nullptr;
}

}  // namespace gateway
