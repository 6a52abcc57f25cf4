// Figures as people read them: durations with three digits and a unit, counts in groups of three.
// And text from outside, made harmless for where it goes: a terminal, XML and HTML.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace load::report {

// "0", "850 ns", "12.3 us", "1.24 ms", "2.50 s", "12.3 min".
std::string duration_text(std::chrono::nanoseconds duration);

// "1,234,567"
std::string count_text(std::uint64_t count);

// "12,345 /s"; below ten with two decimals.
std::string rate_text(double per_second);

// "12.3 MB": of a thousand bytes each.
std::string bytes_text(std::uint64_t bytes);

// "90 s" as a clock has it: "1:30".
std::string clock_text(std::chrono::nanoseconds time);

double seconds_of(std::chrono::nanoseconds duration);

// One line of printable text, whatever a peer sent: control characters and what is not UTF-8 become
// '?', and what exceeds `bytes_max` is cut off with "...".
std::string printable(std::string_view text, std::size_t bytes_max = 300);

// For content and attributes of XML and HTML; printable, too.
std::string escaped(std::string_view text);

}  // namespace load::report
