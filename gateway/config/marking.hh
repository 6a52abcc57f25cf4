// What marks a request for whoever looks for it later: an id of its own, X-Request-Id, and the
// trace that it belongs to, traceparent (W3C Trace Context). Both are in its line of the log.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gateway::config {

// `create`: each request gets one, and a trusted peer's is kept. `keep`: anybody's is kept.
enum class RequestId : std::uint8_t { off, create, keep };

inline constexpr std::string_view kRequestIdHeader = "X-Request-Id";

inline constexpr std::array<std::string_view, 3> kRequestIdNames = {"off", "create", "keep"};

// `off`: nobody looks. `pass`: one that is valid passes. `create`: who brings none gets one.
enum class Trace : std::uint8_t { off, pass, create };

// What a client says of its trace.
inline constexpr std::array<std::string_view, 2> kTraceFields = {"traceparent", "tracestate"};

inline constexpr std::array<std::string_view, 3> kTraceNames = {"off", "pass", "create"};

struct Marking {
  RequestId request_id = RequestId::off;
  Trace trace = Trace::off;

  bool any() const { return request_id != RequestId::off || trace != Trace::off; }

  bool operator==(const Marking&) const = default;
};

}  // namespace gateway::config
