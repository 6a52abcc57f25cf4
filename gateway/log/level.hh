// How serious a log line is. A log that is set to a level writes it and the more serious ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gateway {

// `secret` is none: what is logged as that goes to the file of TLS secrets, and never to the log.
enum class LogLevel : uint8_t { error, warning, info, debug, secret };

inline constexpr std::array<std::string_view, 4> kLogLevelNames = {"error", "warning", "info",
                                                                   "debug"};

constexpr std::string_view name_of(LogLevel level) {
  return kLogLevelNames[static_cast<size_t>(level)];
}

}  // namespace gateway
