#include "gateway/shard/accounting.hh"

#include <algorithm>

#include "gateway/metrics/handshakes.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

// What is beyond 599 counts as a 5xx (RFC 9110 section 15).
std::size_t class_of(std::uint16_t status) {
  return std::min<std::size_t>(status / 100, 5);
}

// Calls count(Traffic&) for the listener, the route and the server.
template <class Count>
void count(const Access& access, Count count) {
  access.connection.shard().note_ended(access.connection);
  count(access.connection.traffic_of_listener());
  if (access.route != nullptr) count(access.generation.traffic_of(*access.route));
  if (access.server == nullptr) return;
  count(access.server->traffic());
  const Reason reason = access.connection.how_ended().reason;
  if (policy_of(reason).party == Party::kUpstream)
    access.server->traffic().failures.add(static_cast<std::uint32_t>(reason));
}

RouteTraffic& route_of(const Access& access) {
  return access.route != nullptr ? access.generation.traffic_of(*access.route)
                                 : access.connection.shard().without_route();
}

uring::Clock::duration time_since(const Access& access) {
  return access.connection.shard().loop().now() - access.begun;
}

}  // namespace

void count_request(const Access& access, const RequestRecord& request) {
  const std::size_t status_class = class_of(request.status);
  count(access, [&](Traffic& traffic) {
    traffic.requests.add();
    traffic.answered[status_class].add();
    traffic.from_client_bytes.add(request.request_bytes);
    traffic.to_client_bytes.add(request.response_bytes);
  });
  RouteTraffic& route = route_of(access);
  route.ended.add(key_of(RequestEnding{status_class, access.connection.how_ended().reason}));
  route.request.observe(time_since(access));
  route.request_bytes.add(request.request_bytes);
  route.response_bytes.add(request.response_bytes);
  route.resends.add(request.resends);
}

void count_tunnel(const Access& access, const TunnelRecord& tunnel) {
  WebSocketRecord record{};
  record.client.sent.payload_bytes = tunnel.client_bytes;
  record.upstream.sent.payload_bytes = tunnel.upstream_bytes;
  const Party party = policy_of(access.connection.how_ended().reason).party;
  count_websocket(access, record, {.party = party, .code = 0, .reason = {}, .broken_rule = {}});
}

void count_websocket(const Access& access, const WebSocketRecord& websocket,
                     const WebSocketEnd& how) {
  count(access, [&](Traffic& traffic) {
    traffic.websockets.add();
    traffic.from_client_bytes.add(websocket.client.sent.payload_bytes);
    traffic.to_client_bytes.add(websocket.upstream.sent.payload_bytes);
  });
  const Reason reason = access.connection.how_ended().reason;
  const std::size_t close_class = close_class_of(how.code);
  RouteTraffic& route = route_of(access);
  route.closed.add(key_of(WebSocketEnding{how.party, close_class, reason}));
  route.lifetime.observe(time_since(access));
  WebSocketCounters& all = access.connection.shard().websockets();
  const auto add = [](WebSocketCounters::Sent& sent, const Relay::Counts& more) {
    sent.messages.add(more.messages);
    sent.payload_bytes.add(more.payload_bytes);
  };
  all.ended[static_cast<std::size_t>(reason)].add();
  all.closed[static_cast<std::size_t>(how.party)][close_class].add();
  add(all.from_client, websocket.client.sent);
  add(all.from_upstream, websocket.upstream.sent);
}

void count_opened(const Access& access) {
  access.connection.shard().websockets().opened.add();
  RouteTraffic& route = route_of(access);
  route.opened.add();
  route.upgrade.observe(time_since(access));
}

void count_handshake(Connection& connection, bool done, uring::Clock::time_point began) {
  ListenerTraffic& listener = connection.traffic_of_listener();
  const tls::Session* const session = connection.client().session();
  if (!done) {
    const auto cause = static_cast<std::uint8_t>(connection.how_ended().reason);
    return listener.handshake_failures.add(key_of_failure(cause, session));
  }
  listener.handshakes.add(key_of_handshake(*session));
  listener.handshake.observe(connection.shard().loop().now() - began);
}

std::uint32_t key_of(const RequestEnding& ending) {
  return static_cast<std::uint32_t>(ending.reason) | static_cast<std::uint32_t>(ending.status_class)
                                                         << 8;
}

RequestEnding request_ending_of(std::uint32_t key) {
  return {.status_class = key >> 8, .reason = static_cast<Reason>(key & 0xff)};
}

std::uint32_t key_of(const WebSocketEnding& ending) {
  return static_cast<std::uint32_t>(ending.reason) |
         static_cast<std::uint32_t>(ending.close_class) << 8 |
         static_cast<std::uint32_t>(ending.party) << 16;
}

WebSocketEnding websocket_ending_of(std::uint32_t key) {
  return {.party = static_cast<Party>(key >> 16),
          .close_class = key >> 8 & 0xff,
          .reason = static_cast<Reason>(key & 0xff)};
}

}  // namespace gateway
