// What commands of the control socket have in common: words that anybody may have written, on one
// line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace gateway::config {

// What would end the line, or a part of it, or mean something to a terminal.
inline bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// How people get to see what is wrong: it may be anything. At most 80 bytes of it, in ASCII.
inline std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 80;
  std::string safe(text.substr(0, kShownMax));
  std::ranges::replace_if(
      safe, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return safe + (text.size() > kShownMax ? "..." : "");
}

}  // namespace gateway::config
