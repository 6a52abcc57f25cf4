#include "gateway/shard/access_log.hh"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <iterator>
#include <utility>

#include "gateway/log/level.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard/accounting.hh"
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

// Behind the words of EADDRNOTAVAIL.
constexpr std::string_view kNoSource =
    " (EADDRNOTAVAIL): no port is left towards it, or an address in 'source' is not this "
    "machine's; "
    "add addresses to 'source' of the pool, or widen net.ipv4.ip_local_port_range";

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
  std::string text = cause_of(end);
  if (end.error == EADDRNOTAVAIL) text += kNoSource;
  shard.log().warning("failed upstream={} route={} end={} by={} cause={} id={} n={}",
                      access.server->text(), name_of(access.route), policy.word,
                      gateway::name_of(policy.party), Quoted(text), connection.id(),
                      connection.requests());
}

// Which section of RFC 6455 a peer broke, in which of its frames, and at which byte behind the
// handshake: see ws::BrokenRule.
std::string text_of(const std::optional<ws::BrokenRule>& broken) {
  if (!broken) return {};
  return fmt::format(" section={} frame={} at={}", ws::section_of(broken->violation), broken->frame,
                     broken->offset);
}

std::string text_of_code(std::uint16_t code) {
  return code == 0 ? "-" : std::to_string(code);
}

using Text = fmt::memory_buffer;

template <class... Values>
void add(Text& text, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Values>(values)...);
}

void add_pings(Text& text, Party party, const Heartbeat* heartbeat) {
  if (heartbeat == nullptr || heartbeat->last_round_trip().count() == 0) return;
  add(text, " {0}_ping_us={1} {0}_ping_us_max={2}", gateway::name_of(party),
      heartbeat->last_round_trip().count(), heartbeat->worst_round_trip().count());
}

// What all lines of an open WebSocket, and of one that has ended, say of what went through it.
Text text_of(const WebSocketRecord& websocket) {
  const auto& [client, upstream] = websocket;
  Text text;
  add(text,
      "client_frames={} client_messages={} client_bytes={} upstream_frames={} "
      "upstream_messages={} upstream_bytes={} client_compressed={} upstream_compressed={}",
      client.sent.frames, client.sent.messages, client.sent.payload_bytes, upstream.sent.frames,
      upstream.sent.messages, upstream.sent.payload_bytes, client.sent.compressed_messages,
      upstream.sent.compressed_messages);
  add(text,
      " client_wire_bytes={} to_client_wire_bytes={} upstream_wire_bytes={} "
      "to_upstream_wire_bytes={} client_pushed_back_ms={} upstream_pushed_back_ms={}",
      client.wire_bytes_from, client.wire_bytes_to, upstream.wire_bytes_from,
      upstream.wire_bytes_to, client.pushed_back.count(), upstream.pushed_back.count());
  add_pings(text, Party::kClient, client.heartbeat);
  add_pings(text, Party::kUpstream, upstream.heartbeat);
  return text;
}

std::string_view view(const Text& text) {
  return {text.data(), text.size()};
}

// Which one it is: the beginning of its lines.
Text name_of(const Access& access) {
  const Connection& connection = access.connection;
  Text text;
  add(text, "id={} n={} client={}:{} request={} route={} upstream={}", connection.id(),
      connection.requests(), connection.client_address(), connection.client_port(),
      Quoted(access.request_line), name_of(access.route), name_of(access.server));
  return text;
}

}  // namespace

void account_for(const Access& access, const RequestRecord& request) {
  warn_of_failure(access);
  Connection& connection = access.connection;
  const End& end = connection.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  count_request(access, request);
  connection.shard().log().info(
      "request id={} n={} client={}:{} request={} route={} upstream={} status={} request_bytes={} "
      "response_bytes={} ms={} resends={} end={} by={} cause={}",
      connection.id(), connection.requests(), connection.client_address(), connection.client_port(),
      Quoted(access.request_line), name_of(access.route), name_of(access.server), request.status,
      request.request_bytes, request.response_bytes,
      milliseconds_since(access.begun, connection.shard()), request.resends, policy.word,
      gateway::name_of(policy.party), Quoted(cause_of(end)));
}

void account_for(const Access& access, const WebSocketRecord& websocket, const WebSocketEnd& how) {
  Shard& shard = access.connection.shard();
  const End& end = access.connection.how_ended();
  count_websocket(access, websocket, how);
  if (shard.log().wants(LogLevel::info)) {
    shard.log().info("websocket {} {} ms={} end={} by={} code={} reason={}{} cause={}",
                     view(name_of(access)), view(text_of(websocket)),
                     milliseconds_since(access.begun, shard), policy_of(end.reason).word,
                     gateway::name_of(how.party), text_of_code(how.code), Quoted(how.reason),
                     text_of(how.broken_rule), Quoted(cause_of(end)));
  }
}

void account_for(const Access& access, const TunnelRecord& tunnel) {
  Shard& shard = access.connection.shard();
  const End& end = access.connection.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  count_tunnel(access, tunnel);
  if (shard.log().wants(LogLevel::info)) {
    shard.log().info(
        "tunnel {} protocol={} client_bytes={} upstream_bytes={} ms={} end={} by={} "
        "cause={}",
        view(name_of(access)), Quoted(tunnel.protocol), tunnel.client_bytes, tunnel.upstream_bytes,
        milliseconds_since(access.begun, shard), policy.word, gateway::name_of(policy.party),
        Quoted(cause_of(end)));
  }
}

void account_for_opened(const Access& access, std::string_view word) {
  Shard& shard = access.connection.shard();
  count_opened(access);
  if (!shard.config().log.websocket_open || !shard.log().wants(LogLevel::info)) return;
  shard.log().info("{} {} ms={}", word, view(name_of(access)),
                   milliseconds_since(access.begun, shard));
}

void tell_so_far(const Access& access, const WebSocketRecord& websocket) {
  Shard& shard = access.connection.shard();
  if (!shard.log().wants(LogLevel::info)) return;
  shard.log().info("websocket-so-far {} {} ms={}", view(name_of(access)), view(text_of(websocket)),
                   milliseconds_since(access.begun, shard));
}

}  // namespace gateway
