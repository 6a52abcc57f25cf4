// What has gone through a route, a server or a listener: plain integers with one writer, the shard.
// Whoever else reads them gets each as it was a moment ago. What all three have in common is a line
// of the log at the end; the rest is for the metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gateway/metrics/histogram.hh"
#include "gateway/metrics/tally.hh"
#include "proto/ws/message_sizes.hh"
#include "uring/count.hh"
#include "uring/link_sends.hh"

namespace gateway {

using Counter = uring::Count;

struct Traffic {
  Counter requests;                 // that have ended, WebSockets not among them
  std::array<Counter, 6> answered;  // by the status' class; 0: without an answer
  Counter websockets;               // that have ended
  Counter from_client_bytes;        // of bodies to and from servers, and of messages
  Counter to_client_bytes;
};

// Keys of tallies are numbers; what they stand for is known where they are made, and told
// (gateway/shard/accounting.hh, gateway/metrics/handshakes.hh).
struct ListenerTraffic : Traffic {
  Counter accepted;
  Counter open;
  Tally<48> handshakes;
  Tally<64> handshake_failures;
  Durations handshake;
};

// What one side of the WebSockets of a route has sent, those that are open included.
struct WebSocketFlow {
  ws::MessageSizes sizes;    // and how many messages there were
  Counter payload_bytes;     // as they came; of a tunnel that is no WebSocket: all
  Counter plain_bytes;       // of messages that the gateway has inflated or compressed,
  Counter compressed_bytes;  // either way
  Counter paused_ms;         // it was not read, by its rates
  Durations ping;            // round trips of the gateway's own, to this side
  uring::LinkSends link;     // sends to this side, and how often it was not read
};

struct RouteTraffic : Traffic {
  Tally<64> ended;  // requests
  Durations request;
  Durations first_byte;
  Counter request_bytes;  // of bodies
  Counter response_bytes;
  Counter resends;

  Counter opened;  // WebSockets, and tunnels of other protocols
  Counter open;
  Tally<96> closed;
  Durations upgrade;
  Lifetimes lifetime;
  WebSocketFlow from_client;
  WebSocketFlow from_upstream;
};

struct ServerTraffic : Traffic {
  Counter connections_opened;  // dialled
  Counter connections_reused;  // kept ones, for another request
  Tally<16> connect_failures;
  Tally<24> failures;  // of requests and WebSockets, by its fault
};

// Of all servers together.
struct UpstreamTraffic {
  Tally<48> handshakes;
  Durations connect;  // TLS included
  Durations queue;    // until there was a place, or no more patience
};

// The same, of several shards.
struct TrafficTotals {
  std::uint64_t requests = 0;
  std::array<std::uint64_t, 6> answered{};
  std::uint64_t websockets = 0;
  std::uint64_t from_client_bytes = 0;
  std::uint64_t to_client_bytes = 0;

  void add(const Traffic& more) {
    requests += more.requests.value();
    for (std::size_t digit = 0; digit < answered.size(); ++digit) {
      answered[digit] += more.answered[digit].value();
    }
    websockets += more.websockets.value();
    from_client_bytes += more.from_client_bytes.value();
    to_client_bytes += more.to_client_bytes.value();
  }
};

}  // namespace gateway
