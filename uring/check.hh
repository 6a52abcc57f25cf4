// CHECK states an invariant and stays on in release builds: what is broken here is this program,
// never a peer, so the process ends with the place and the sentence.
#pragma once

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace uring {

// Told the place and the sentence, instead of stderr, by the thread that fails, in whatever state
// the process is; comes back soon, and then the process ends. None at first.
using CheckReporter = void (*)(const char* sentence);
inline std::atomic<CheckReporter> check_reporter{nullptr};

[[noreturn]] inline void check_failed(const char* file, int line, const char* what) {
  std::array<char, 512> sentence;
  std::snprintf(sentence.data(), sentence.size(), "%s:%d: broken invariant: %s", file, line, what);
  if (const CheckReporter report = check_reporter.load()) {
    report(sentence.data());
  } else {
    std::fprintf(stderr, "%s\n", sentence.data());
  }
  std::abort();
}

}  // namespace uring

#define CHECK(condition, sentence)                                         \
  do {                                                                     \
    if (!(condition)) [[unlikely]]                                         \
      ::uring::check_failed(__FILE__, __LINE__, #condition ": " sentence); \
  } while (false)
