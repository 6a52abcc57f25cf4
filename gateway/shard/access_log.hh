// What is told and counted of a request, or of a WebSocket, that has ended: the line of the log and
// the counters of its listener, route and server come from one record, so they cannot differ. Of a
// WebSocket that opens, and goes on for long, there are lines, too, where [log] asks for them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/client/connection.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/websocket/relay.hh"

namespace gateway {

class RequestMarks;

// What both have; how it ended the connection says.
struct Access {
  Connection& connection;
  const ShardGeneration& generation;     // in which it began
  std::string_view request_line;         // method, host and path
  const RequestMarks* marks = nullptr;   // null: there are none
  const config::Route* route = nullptr;  // null: none was found
  UpstreamServer* server = nullptr;      // the last one that was asked; null: none was
  uring::Clock::time_point begun;
};

struct RequestRecord {
  std::uint16_t status;          // 0: the client got no answer
  std::uint64_t request_bytes;   // of its body, to the last server
  std::uint64_t response_bytes;  // of its body
  unsigned resends;
};

// What went between the gateway and one peer of a WebSocket so far.
struct PeerRecord {
  Relay::Counts sent;  // by that peer
  // As its socket has carried them, TLS included, the heads of the handshake not.
  std::uint64_t wire_bytes_from;
  std::uint64_t wire_bytes_to;
  std::chrono::milliseconds pushed_back;  // the peer was not read for so long
  const Heartbeat* heartbeat;             // null: it was not pinged
};

struct WebSocketRecord {
  PeerRecord client;
  PeerRecord upstream;
};

struct WebSocketEnd {
  Party party;              // who ended it
  std::uint16_t code;       // of the first close frame that somebody got to see; 0: there was none
  std::string_view reason;  // its text
  std::optional<ws::BrokenRule> broken_rule;
};

// Of a tunnel that is no WebSocket: it counts as one, without messages.
struct TunnelRecord {
  std::string_view protocol;
  std::uint64_t client_bytes;  // sent by the client, and passed on
  std::uint64_t upstream_bytes;
};

void account_for(const Access& access, const RequestRecord& request);
void account_for(const Access& access, const TunnelRecord& tunnel);
void account_for(const Access& access, const WebSocketRecord& websocket, const WebSocketEnd& how);
// One that has opened, and one that is still open.
void account_for_opened(const Access& access, std::string_view word);
void tell_so_far(const Access& access, const WebSocketRecord& websocket);

}  // namespace gateway
