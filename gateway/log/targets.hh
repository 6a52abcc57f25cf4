// Where the log's lines go, and in which form: what [log] says of it, for the log's own thread.
// Lines of requests, WebSockets and tunnels ("access lines") may go apart from all others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

// What names no file.
inline constexpr std::string_view kStderrName = "stderr";
inline constexpr std::string_view kSyslogName = "syslog";
inline constexpr std::string_view kJournaldName = "journald";

enum class LogFormat : std::uint8_t { text, json };

inline constexpr std::array<std::string_view, 2> kLogFormatNames = {"text", "json"};

// Of syslog(3); the position of a name is no number of it.
inline constexpr std::array<std::string_view, 10> kSyslogFacilityNames = {
    "user",   "daemon", "local0", "local1", "local2",
    "local3", "local4", "local5", "local6", "local7"};
inline constexpr std::array<unsigned, 10> kSyslogFacilities = {1,  3,  16, 17, 18,
                                                               19, 20, 21, 22, 23};

struct LogTargets {
  std::string file{kStderrName};  // an absolute path, or one of the names above
  std::string access_file;        // likewise, for access lines; empty: they go to `file`
  LogFormat format = LogFormat::text;
  std::vector<std::string> fields;  // that access lines have; empty: all
  std::size_t syslog_facility = 1;  // a position in kSyslogFacilities
  std::string syslog_socket = "/dev/log";
  std::string journald_socket = "/run/systemd/journal/socket";

  bool has_apart() const { return !access_file.empty(); }

  bool operator==(const LogTargets&) const = default;
};

constexpr bool is_log_path(std::string_view target) {
  return target != kStderrName && target != kSyslogName && target != kJournaldName;
}

}  // namespace gateway
