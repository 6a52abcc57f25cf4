// What the code of a shard logs with: `log.info("accepted {}", address)`.
// (A line that has fields is a LogLine, line.hh.)
// A line is formatted into a buffer on the stack and appended to the shard's ring: no system call,
// no allocation, no waiting. One Log belongs to one thread; copies of it share that thread's ring,
// which the LogWriter owns and which outlives them all.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "gateway/log/level.hh"
#include "gateway/log/ring.hh"

namespace gateway {

// Two quoted texts of a peer's at their longest must not push a line's last fields out.
inline constexpr size_t kLogLineBytesMax = 8192;

class Log {
 public:
  explicit Log(LogRing& ring) : ring_(&ring) {}
  Log(LogRing& ring, LogLevel level) : Log(ring) { ring.set_level(level); }

  bool wants(LogLevel level) const { return ring_->wants(level); }
  // Of lines of requests, WebSockets and tunnels.
  bool wants_access(LogLevel level) const { return ring_->wants_access(level); }

  template <typename... Args>
  void line(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (!wants(level)) return;
    std::array<char, kLogLineBytesMax> text;
    const auto written =
        fmt::format_to_n(text.data(), text.size(), format, std::forward<Args>(args)...);
    append(level, {text.data(), std::min(written.size, text.size())}, written.size);
  }

  template <typename... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    line(LogLevel::error, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    line(LogLevel::warning, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    line(LogLevel::info, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    line(LogLevel::debug, format, std::forward<Args>(args)...);
  }
  // A line for the file of TLS secrets, whatever the level; it stands nowhere else.
  void secret(std::string_view line);
  // What a LogLine is made of.
  void append_fields(LogLevel level, std::string_view fields, RecordKind kind);

 private:
  // `wanted` is the length before it was cut to fit: a cut line ends in "...".
  void append(LogLevel level, std::span<char> text, size_t wanted);

  LogRing* ring_;
};

}  // namespace gateway
