// Values as a file of TOML has them, for whoever prints a configuration.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

#include "gateway/config/units.hh"

namespace gateway::config {

// A TOML basic string.
inline std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\u{:04X}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

inline std::string toml_duration(std::chrono::milliseconds value) {
  return quote(print_duration(value));
}

inline std::string toml_duration_or_off(std::chrono::milliseconds value) {
  return value.count() == 0 ? quote("off") : toml_duration(value);
}

template <typename List, typename Print>
std::string list(const List& items, Print&& print) {
  std::string result = "[";
  for (const auto& item : items) {
    if (result.size() > 1) result += ", ";
    result += print(item);
  }
  return result + "]";
}

}  // namespace gateway::config
