// What is told and counted of a request, or of a WebSocket, that has ended: the line of the log and
// the counters of its listener, route and server come from one record, so they cannot differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/client/connection.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/websocket/relay.hh"

namespace gateway {

// What both have; how it ended the connection says.
struct Access {
  Connection& connection;
  const ShardGeneration& generation;     // in which it began
  std::string_view request_line;         // method, host and path
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

struct WebSocketRecord {
  Relay::Counts from_client;
  Relay::Counts from_upstream;
  Party party;         // who ended it
  std::uint16_t code;  // of the close frame that somebody got to see; 0: there was none
  std::optional<ws::BrokenRule> broken_rule;
};

void account_for(const Access& access, const RequestRecord& request);
void account_for_opened(const Access& websocket);
void account_for(const Access& access, const WebSocketRecord& websocket);

}  // namespace gateway
