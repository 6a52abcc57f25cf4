// How a run goes, while it goes. In a terminal one block is rewritten in place; elsewhere each
// show() is a line, so that a log of it reads well.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace load::report {

struct Progress {
  std::chrono::nanoseconds time{0};                // since the run began
  std::optional<std::chrono::nanoseconds> in_all;  // none: until it is interrupted
  std::string phase;
  double rate = 0;                    // answers or deliveries a second, since the last one
  std::chrono::nanoseconds p50{0};    // of these
  std::chrono::nanoseconds p99{0};
  std::uint64_t errors = 0;  // so far
  std::uint64_t open = 0;    // now
};

// "0:07 of 0:30  hold  12,345 /s  p50 1.2 ms  p99 4.5 ms  100 open  0 errors"
std::string line_of(const Progress& progress);
// Two lines, each of at most `columns` characters.
std::string block_of(const Progress& progress, std::size_t columns);

class Live {
 public:
  explicit Live(bool terminal, std::FILE* to = stderr) : terminal_(terminal), to_(to) {}

  void show(const Progress& progress);
  // Takes the block away, since the result follows.
  void end();

 private:
  bool terminal_;
  std::FILE* to_;
  bool shown_ = false;
};

}  // namespace load::report
