// What makes a line's record a span, too (OpenTelemetry): its ids, in lower-case hexadecimal
// digits, for how long it went on until the line was written, and what else no line shows.
#pragma once

#include <array>
#include <cstdint>

namespace gateway {

using TraceId = std::array<char, 32>;
using SpanId = std::array<char, 16>;

// Zeros mean that there is none.
inline constexpr SpanId kNoSpan = {'0', '0', '0', '0', '0', '0', '0', '0',
                                   '0', '0', '0', '0', '0', '0', '0', '0'};

struct SpanMark {
  TraceId trace{};
  SpanId id{};
  SpanId parent = kNoSpan;
  std::int64_t duration_ns = 0;
  bool secure = false;  // its client came over TLS
};

}  // namespace gateway
