// Durations and sizes as the configuration writes them: one whole number and a unit, "30s",
// "64KiB". Failures are words that fit behind "'TEXT' ": what is wrong, and the right form.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace gateway::config {

// Units: ms, s, m, h.
std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);

// Units: B, KiB, MiB, GiB.
std::expected<size_t, std::string> parse_size(std::string_view text);

// In the largest unit that needs no fraction; reads back as the same.
std::string print_duration(std::chrono::milliseconds duration);
std::string print_size(size_t bytes);

}  // namespace gateway::config
