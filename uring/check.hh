// CHECK states an invariant and stays on in release builds: what is broken here is this program,
// never a peer, so the process ends with the place and the sentence.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace uring {

[[noreturn]] inline void check_failed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, what);
  std::abort();
}

}  // namespace uring

#define CHECK(condition, sentence)                                         \
  do {                                                                     \
    if (!(condition)) [[unlikely]]                                         \
      ::uring::check_failed(__FILE__, __LINE__, #condition ": " sentence); \
  } while (false)
