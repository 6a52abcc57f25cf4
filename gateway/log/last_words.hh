// When the process ends by a fault of its own, what the log's rings hold is written, and then the
// cause: a broken CHECK, or the signal of a fault or of abort(). All of it takes a second at most,
// whoever reads the log. While it lives; one at a time, since signals are the process's.
#pragma once

#include <signal.h>

#include <array>

#include "gateway/log/writer.hh"

namespace gateway {

class LastWords {
 public:
  explicit LastWords(LogWriter& writer);  // which outlives it
  ~LastWords();
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;

  static constexpr std::array<int, 5> kSignals = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
};

}  // namespace gateway
