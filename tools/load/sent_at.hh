// When a message was sent, as it says itself: by the mark of this project's tools, or by a Unix
// time at a place that a JSON pointer names.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "tools/load/json_pointer.hh"

namespace load {

struct SentAt {
  std::optional<JsonPointer> pointer;  // none: the mark
};

// "mark", or a JSON pointer. The error says how it is written.
std::expected<SentAt, std::string> parse_sent_at(std::string_view text);

// A Unix time in seconds, milliseconds, microseconds or nanoseconds, with a fraction or without.
// The unit is told from the magnitude: between 1973 and 5138 no two of them meet. Nothing: it is
// no number, negative, or too large for any.
std::optional<std::chrono::nanoseconds> parse_unix_time(std::string_view text);

}  // namespace load
