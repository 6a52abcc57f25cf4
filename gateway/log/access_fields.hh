// The names of all fields that lines of requests, WebSockets and tunnels may have, but for those of
// [log] headers. They are documented in gateway.conf, and stay as they are: others read them.
#pragma once

#include <array>
#include <string_view>

namespace gateway {

inline constexpr std::array<std::string_view, 41> kAccessFields = {
    // Which one it was.
    "id", "n", "client", "request", "route", "upstream", "request_id", "trace_id", "span_id",
    // Of a request.
    "status", "request_bytes", "response_bytes", "resends",
    // Of a WebSocket; of a tunnel protocol, client_bytes, upstream_bytes.
    "protocol", "client_frames", "client_messages", "client_bytes", "upstream_frames",
    "upstream_messages", "upstream_bytes", "client_compressed", "upstream_compressed",
    "client_wire_bytes", "to_client_wire_bytes", "upstream_wire_bytes", "to_upstream_wire_bytes",
    "client_pushed_back_ms", "upstream_pushed_back_ms", "client_ping_us", "client_ping_us_max",
    "upstream_ping_us", "upstream_ping_us_max", "code", "reason", "section", "frame", "at",
    // How it ended.
    "ms", "end", "by", "cause"};

}  // namespace gateway
