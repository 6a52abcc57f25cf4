#include "tools/load/report/figures.hh"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace load::report {
namespace {

// Three digits: 1.23, 12.3, 123.
std::string three_digits(double value) {
  if (value < 9.995) return fmt::format("{:.2f}", value);
  if (value < 99.95) return fmt::format("{:.1f}", value);
  return fmt::format("{:.0f}", value);
}

// Bytes of the UTF-8 character that `text` begins with; 0: it begins with none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3
                                                                  : lead < 0xf5   ? 4
                                                                                  : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (size > 2) {
    const unsigned pair = lead << 8 | byte(1);
    const bool overlong = pair < 0xe0a0 || (pair >= 0xf000 && pair < 0xf090);
    const bool surrogate = pair >= 0xeda0 && pair < 0xee00;
    if (overlong || surrogate || pair >= 0xf490) return 0;
  }
  return size;
}

// C0, DEL, C1, and what changes the direction of the text around it.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  if (character.size() == 2) {
    return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  }
  return character == "\u2028" || character == "\u2029" ||
         (character >= "\u202a" && character <= "\u202e") ||
         (character >= "\u2066" && character <= "\u2069") || character == "\ufffe" ||
         character == "\uffff";
}

}  // namespace

std::string duration_text(std::chrono::nanoseconds duration) {
  const auto value = static_cast<double>(duration.count());
  if (duration.count() < 0) return "-" + duration_text(-duration);
  if (duration.count() == 0) return "0";
  if (value < 1e3) return fmt::format("{} ns", duration.count());
  if (value < 999.5e3) return three_digits(value / 1e3) + " us";
  if (value < 999.5e6) return three_digits(value / 1e6) + " ms";
  if (value < 99.95e9) return three_digits(value / 1e9) + " s";
  return three_digits(value / 60e9) + " min";
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string rate_text(double per_second) {
  if (!(per_second > 0)) return "0 /s";
  if (per_second < 9.995) return fmt::format("{:.2f} /s", per_second);
  return count_text(static_cast<std::uint64_t>(std::llround(std::min(per_second, 1e18)))) + " /s";
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes) / 1e3;
  std::size_t unit = 0;
  while (value >= 999.5) {
    value /= 1e3;
    ++unit;
  }
  return three_digits(value) + " " + kUnits[unit];
}

std::string clock_text(std::chrono::nanoseconds time) {
  const std::int64_t seconds = std::llround(seconds_of(time));
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

double seconds_of(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, size == 0 ? 1 : size);
    if (safe.size() + character.size() > bytes_max) return safe + "...";
    safe += size == 0 || is_control(character) ? "?" : character;
    text.remove_prefix(character.size());
  }
  return safe;
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : printable(text, 4000)) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      case '\'': safe += "&#39;"; break;
      default: safe += c;
    }
  }
  return safe;
}

}  // namespace load::report
