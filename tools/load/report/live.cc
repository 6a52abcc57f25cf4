#include "tools/load/report/live.hh"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "tools/load/report/figures.hh"

namespace load::report {
namespace {

constexpr std::size_t kColumnsUnknown = 80;
constexpr std::size_t kPhaseBytesMax = 24;
// Up two lines, to the first column, and clear from there on.
constexpr std::string_view kBack = "\x1b[2A\r\x1b[J";

std::size_t columns_of(std::FILE* file) {
  winsize size{};
  const int descriptor = fileno(file);
  const bool known = descriptor >= 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0;
  return known && size.ws_col > 0 ? size.ws_col : kColumnsUnknown;
}

std::string time_of(const Progress& progress) {
  const std::string now = clock_text(progress.time);
  return progress.in_all ? now + " of " + clock_text(*progress.in_all) : now;
}

std::string figures_of(const Progress& progress) {
  std::string text = rate_text(progress.rate);
  if (progress.p99.count() > 0) {
    text += fmt::format("  p50 {}  p99 {}", duration_text(progress.p50),
                        duration_text(progress.p99));
  }
  return text + fmt::format("  {} open  {} {}", count_text(progress.open),
                            count_text(progress.errors), progress.errors == 1 ? "error" : "errors");
}

std::string bar_of(const Progress& progress, std::size_t columns) {
  if (!progress.in_all || progress.in_all->count() <= 0) return "";
  const double share =
      std::clamp(seconds_of(progress.time) / seconds_of(*progress.in_all), 0.0, 1.0);
  const std::size_t width = std::min<std::size_t>(columns, 40);
  const auto done = static_cast<std::size_t>(std::lround(share * static_cast<double>(width)));
  return "[" + std::string(done, '=') + std::string(width - done, ' ') + "]";
}

}  // namespace

std::string line_of(const Progress& progress) {
  return fmt::format("{}  {}  {}", time_of(progress), printable(progress.phase, kPhaseBytesMax),
                     figures_of(progress));
}

std::string block_of(const Progress& progress, std::size_t columns) {
  std::string head = fmt::format("{}  {}  ", time_of(progress),
                                 printable(progress.phase, kPhaseBytesMax));
  const std::size_t bar_least = 10;
  if (head.size() + bar_least + 2 < columns) head += bar_of(progress, columns - head.size() - 3);
  // A line that wraps would make the block three lines high.
  const std::size_t most = std::max<std::size_t>(columns, 1) - 1;
  return head.substr(0, most) + "\n" + figures_of(progress).substr(0, most) + "\n";
}

void Live::show(const Progress& progress) {
  if (terminal_) {
    fmt::print(to_, "{}{}", shown_ ? kBack : "", block_of(progress, columns_of(to_)));
  } else {
    fmt::print(to_, "{}\n", line_of(progress));
  }
  std::fflush(to_);
  shown_ = true;
}

void Live::end() {
  if (terminal_ && shown_) fmt::print(to_, "{}", kBack);
  std::fflush(to_);
  shown_ = false;
}

}  // namespace load::report
