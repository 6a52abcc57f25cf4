#include "gateway/shard/access_log.hh"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "gateway/log/level.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

std::string_view name_of(const config::Route* route) {
  return route != nullptr ? std::string_view(route->name) : "-";
}

std::string_view name_of(const UpstreamServer* server) {
  return server != nullptr ? std::string_view(server->text()) : "-";
}

std::int64_t milliseconds_since(uring::Clock::time_point begun, Shard& shard) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(shard.loop().now() - begun).count();
}

// Calls count(Traffic&) for the listener, the route and the server.
template <class Count>
void count(const Access& access, Count count) {
  access.connection.shard().note_ended(access.connection);
  count(access.connection.traffic_of_listener());
  if (access.route != nullptr) count(access.generation.traffic_of(*access.route));
  if (access.server != nullptr) count(access.server->traffic());
}

// What its operator should look at: a server that gave no proper answer, or the gateway that had no
// means to ask it.
void warn_of_failure(const Access& access) {
  Connection& connection = access.connection;
  Shard& shard = connection.shard();
  const End& end = connection.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  const bool server_failed = policy.party == Party::kUpstream || end.reason == Reason::kShortage;
  if (access.server == nullptr || !server_failed) return;
  std::string& cause = shard.scratch();
  cause.assign(policy.word).append(" ").append(access.server->text());
  if (!shard.may_log(LogLevel::warning, cause)) return;
  shard.log().warning("failed upstream={} route={} end={} by={} cause={} id={} n={}",
                      access.server->text(), name_of(access.route), policy.word,
                      gateway::name_of(policy.party), Quoted(cause_of(end)), connection.id(),
                      connection.requests());
}

// Which section of RFC 6455 a peer broke, in which of its frames, and at which byte behind the
// handshake: see ws::BrokenRule.
std::string text_of(const std::optional<ws::BrokenRule>& broken) {
  if (!broken) return {};
  return fmt::format(" section={} frame={} at={}", ws::section_of(broken->violation), broken->frame,
                     broken->offset);
}

std::string code_text(std::uint16_t code) {
  return code == 0 ? "-" : std::to_string(code);
}

void count(WebSocketCounters& counters, Reason reason, const WebSocketRecord& websocket) {
  const auto add = [](WebSocketCounters::Sent& sent, const Relay::Counts& more) {
    sent.messages.add(more.messages);
    sent.payload_bytes.add(more.payload_bytes);
  };
  counters.ended[static_cast<std::size_t>(reason)].add();
  counters.closed[static_cast<std::size_t>(websocket.party)][close_class_of(websocket.code)].add();
  add(counters.from_client, websocket.from_client);
  add(counters.from_upstream, websocket.from_upstream);
}

}  // namespace

void account_for(const Access& access, const RequestRecord& request) {
  warn_of_failure(access);
  Connection& connection = access.connection;
  const End& end = connection.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  connection.shard().log().info(
      "request id={} n={} client={}:{} request={} route={} upstream={} status={} request_bytes={} "
      "response_bytes={} ms={} resends={} end={} by={} cause={}",
      connection.id(), connection.requests(), connection.client_address(), connection.client_port(),
      Quoted(access.request_line), name_of(access.route), name_of(access.server), request.status,
      request.request_bytes, request.response_bytes,
      milliseconds_since(access.begun, connection.shard()), request.resends, policy.word,
      gateway::name_of(policy.party), Quoted(cause_of(end)));
  count(access, [&](Traffic& traffic) {
    traffic.requests.add();
    // What is beyond 599 counts as a 5xx (RFC 9110 section 15).
    traffic.answered[std::min<std::size_t>(request.status / 100, 5)].add();
    traffic.from_client_bytes.add(request.request_bytes);
    traffic.to_client_bytes.add(request.response_bytes);
  });
}

void account_for_opened(const Access& websocket) {
  websocket.connection.shard().websockets().opened.add();
}

void account_for(const Access& access, const WebSocketRecord& websocket) {
  Connection& connection = access.connection;
  const End& end = connection.how_ended();
  connection.shard().log().info(
      "websocket id={} n={} client={}:{} request={} route={} upstream={} client_frames={} "
      "client_messages={} client_bytes={} upstream_frames={} upstream_messages={} "
      "upstream_bytes={} ms={} end={} by={} code={}{} cause={}",
      connection.id(), connection.requests(), connection.client_address(), connection.client_port(),
      Quoted(access.request_line), name_of(access.route), name_of(access.server),
      websocket.from_client.frames, websocket.from_client.messages,
      websocket.from_client.payload_bytes, websocket.from_upstream.frames,
      websocket.from_upstream.messages, websocket.from_upstream.payload_bytes,
      milliseconds_since(access.begun, connection.shard()), policy_of(end.reason).word,
      gateway::name_of(websocket.party), code_text(websocket.code), text_of(websocket.broken_rule),
      Quoted(cause_of(end)));
  count(access, [&](Traffic& traffic) {
    traffic.websockets.add();
    traffic.from_client_bytes.add(websocket.from_client.payload_bytes);
    traffic.to_client_bytes.add(websocket.from_upstream.payload_bytes);
  });
  count(connection.shard().websockets(), end.reason, websocket);
}

}  // namespace gateway
