// What is counted of a request or a WebSocket that has ended, or has opened, and of a handshake: by
// listener, route and server. access_log.cc calls it for each record, before the line of the log:
// who has read that finds it in the counters.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gateway/link/end.hh"
#include "gateway/shard/access_log.hh"

namespace gateway {

void count_request(const Access& access, const RequestRecord& request);
void count_tunnel(const Access& access, const TunnelRecord& tunnel);
void count_websocket(const Access& access, const WebSocketRecord& websocket,
                     const WebSocketEnd& how);
// Of either kind.
void count_opened(const Access& access);
// A client's TLS handshake that began then is done, or its connection has ended before.
void count_handshake(Connection& connection, bool done, uring::Clock::time_point began);

// Keys of RouteTraffic::ended and ::closed.
struct RequestEnding {
  std::size_t status_class;  // 0: there was no answer
  Reason reason;
};
std::uint32_t key_of(const RequestEnding& ending);
RequestEnding request_ending_of(std::uint32_t key);

struct WebSocketEnding {
  Party party;
  std::size_t close_class;  // gateway/shard/websocket_counters.hh
  Reason reason;
};
std::uint32_t key_of(const WebSocketEnding& ending);
WebSocketEnding websocket_ending_of(std::uint32_t key);

}  // namespace gateway
