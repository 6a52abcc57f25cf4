// Numbers with units, as people write them: "250ms", "10s", "5m", "1h"; "64", "16k", "1M"; "50%".
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace load {

// Without a unit seconds.
std::expected<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text);
// k, M and G are powers of 1024.
std::expected<std::uint64_t, std::string> parse_bytes(std::string_view text);
// "50%" or "0.5": 0 to 1.
std::expected<double, std::string> parse_share(std::string_view text);

}  // namespace load
