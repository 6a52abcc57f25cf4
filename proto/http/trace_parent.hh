// The field "traceparent" of W3C Trace Context (Level 1, section 3.2): which trace a request
// belongs to.
//
//     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//     version, trace id (16 bytes), parent id (8), flags: in lower-case hexadecimal digits
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace http {

inline constexpr std::size_t kTraceIdBytes = 16;
inline constexpr std::size_t kParentIdBytes = 8;
inline constexpr std::size_t kTraceParentBytes = 55;  // of version 00, as text

// Digits, as they stand there.
struct TraceParent {
  std::string_view trace_id;
  std::string_view parent_id;
  bool sampled;
  bool random;  // Level 2, section 3.2.2.3.2: the trace's id is, in its last 7 bytes
};

// Nothing where the value is not valid. What a later version has behind the flags is passed over
// (section 4.3).
std::optional<TraceParent> trace_parent_of(std::string_view traceparent);

// Writes that of a new trace. `random` has kTraceIdBytes + kParentIdBytes; ids of zeros, which mean
// none, become others.
void write_trace_parent(std::span<char, kTraceParentBytes> to, std::span<const std::byte> random,
                        bool sampled);
// Writes that of whoever takes part in a sampled trace (section 4.3), with an id of its own:
// `random` has kParentIdBytes.
void write_trace_parent(std::span<char, kTraceParentBytes> to, const TraceParent& parent,
                        std::span<const std::byte> random);

}  // namespace http
