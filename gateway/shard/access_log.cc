#include "gateway/shard/access_log.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "gateway/exchange/request_marks.hh"
#include "gateway/log/line.hh"
#include "gateway/shard/accounting.hh"
#include "gateway/shard/shard.hh"
#include "proto/hex.hh"

namespace gateway {
namespace {

constexpr std::size_t kClientBytesMax = 64;  // an address and a port

void add_route(LogLine& line, const config::Route* route) {
  route != nullptr ? line.word("route", route->name) : line.none("route");
}

std::int64_t nanoseconds_since(uring::Clock::time_point begun, Shard& shard) {
  return std::chrono::nanoseconds(shard.loop().now() - begun).count();
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
  LogLine line(shard.log(), LogLevel::warning, "failed");
  line.word("upstream", access.server->text());
  add_route(line, access.route);
  line.word("end", policy.word)
      .word("by", gateway::name_of(policy.party))
      .quoted("cause", text)
      .number("id", connection.id())
      .number("n", connection.requests())
      .write();
}

// Which section of RFC 6455 a peer broke, in which of its frames, and at which byte behind the
// handshake: see ws::BrokenRule.
void add_broken_rule(LogLine& line, const std::optional<ws::BrokenRule>& broken) {
  if (!broken) return;
  line.word("section", ws::section_of(broken->violation))
      .number("frame", broken->frame)
      .number("at", broken->offset);
}

void add_pings(LogLine& line, bool of_client, const Heartbeat* heartbeat) {
  if (heartbeat == nullptr || heartbeat->last_round_trip().count() == 0) return;
  line.number(of_client ? "client_ping_us" : "upstream_ping_us",
              heartbeat->last_round_trip().count());
  line.number(of_client ? "client_ping_us_max" : "upstream_ping_us_max",
              heartbeat->worst_round_trip().count());
}

// What all lines of an open WebSocket, and of one that has ended, say of what went through it.
void add_counts(LogLine& line, const WebSocketRecord& websocket) {
  const auto& [client, upstream] = websocket;
  line.number("client_frames", client.sent.frames)
      .number("client_messages", client.sent.messages)
      .number("client_bytes", client.sent.payload_bytes)
      .number("upstream_frames", upstream.sent.frames)
      .number("upstream_messages", upstream.sent.messages)
      .number("upstream_bytes", upstream.sent.payload_bytes)
      .number("client_compressed", client.sent.compressed_messages)
      .number("upstream_compressed", upstream.sent.compressed_messages)
      .number("client_wire_bytes", client.wire_bytes_from)
      .number("to_client_wire_bytes", client.wire_bytes_to)
      .number("upstream_wire_bytes", upstream.wire_bytes_from)
      .number("to_upstream_wire_bytes", upstream.wire_bytes_to)
      .number("client_pushed_back_ms", client.pushed_back.count())
      .number("upstream_pushed_back_ms", upstream.pushed_back.count());
  add_pings(line, true, client.heartbeat);
  add_pings(line, false, upstream.heartbeat);
}

// What a line of the log is made of, and a span where the request has one.
LineOf line_of(const Access& access) {
  return access.marks != nullptr && access.marks->has_span() ? LineOf::traced : LineOf::access;
}

// Which one it is: the beginning of its lines.
void add_name(LogLine& line, const Access& access) {
  const Connection& connection = access.connection;
  std::array<char, kClientBytesMax> client;
  const auto shown = fmt::format_to_n(client.data(), client.size(), "{}:{}",
                                      connection.client_address().text(), connection.client_port());
  line.number("id", connection.id()).number("n", connection.requests());
  line.word("client", {client.data(), std::min(shown.size, client.size())});
  line.quoted("request", access.request_line);
  add_route(line, access.route);
  access.server != nullptr ? line.word("upstream", access.server->text()) : line.none("upstream");
  if (access.marks != nullptr) access.marks->add_ids_to(line);
}

// The span of the request, which the handshake of a WebSocket is, too.
void add_span(LogLine& line, const Access& access) {
  if (access.marks == nullptr || !access.marks->has_span()) return;
  SpanMark mark = access.marks->span();
  mark.duration_ns = nanoseconds_since(access.begun, access.connection.shard());
  mark.secure = access.connection.secure();
  line.span(mark);
}

// The span of what began with that handshake: a child of it.
void add_span_of_life(LogLine& line, const Access& access) {
  if (access.marks == nullptr || !access.marks->has_span()) return;
  Shard& shard = access.connection.shard();
  SpanMark mark = access.marks->span();
  mark.parent = mark.id;
  std::array<std::byte, sizeof mark.id / 2> random;
  shard.random().fill(random);
  proto::write_hex(mark.id.data(), random);
  mark.duration_ns = nanoseconds_since(access.begun, shard);
  line.span(mark);
}

void finish(LogLine& line, const Access& access) {
  if (access.marks != nullptr) access.marks->add_headers_to(line);
  line.write();
}

}  // namespace

void account_for(const Access& access, const RequestRecord& request) {
  warn_of_failure(access);
  Connection& connection = access.connection;
  const End& end = connection.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  count_request(access, request);
  LogLine line(connection.shard().log(), LogLevel::info, "request", line_of(access));
  if (!line.is_wanted()) return;
  add_span(line, access);
  add_name(line, access);
  line.number("status", request.status)
      .number("request_bytes", request.request_bytes)
      .number("response_bytes", request.response_bytes)
      .number("ms", milliseconds_since(access.begun, connection.shard()))
      .number("resends", request.resends)
      .word("end", policy.word)
      .word("by", gateway::name_of(policy.party))
      .quoted("cause", cause_of(end));
  finish(line, access);
}

void account_for(const Access& access, const WebSocketRecord& websocket, const WebSocketEnd& how) {
  Shard& shard = access.connection.shard();
  const End& end = access.connection.how_ended();
  count_websocket(access, websocket, how);
  LogLine line(shard.log(), LogLevel::info, "websocket", line_of(access));
  if (!line.is_wanted()) return;
  add_span_of_life(line, access);
  add_name(line, access);
  add_counts(line, websocket);
  line.number("ms", milliseconds_since(access.begun, shard))
      .word("end", policy_of(end.reason).word)
      .word("by", gateway::name_of(how.party));
  how.code == 0 ? line.none("code") : line.number("code", how.code);
  line.quoted("reason", how.reason);
  add_broken_rule(line, how.broken_rule);
  line.quoted("cause", cause_of(end));
  finish(line, access);
}

void account_for(const Access& access, const TunnelRecord& tunnel) {
  Shard& shard = access.connection.shard();
  const End& end = access.connection.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  count_tunnel(access, tunnel);
  LogLine line(shard.log(), LogLevel::info, "tunnel", line_of(access));
  if (!line.is_wanted()) return;
  add_span_of_life(line, access);
  add_name(line, access);
  line.quoted("protocol", tunnel.protocol)
      .number("client_bytes", tunnel.client_bytes)
      .number("upstream_bytes", tunnel.upstream_bytes)
      .number("ms", milliseconds_since(access.begun, shard))
      .word("end", policy.word)
      .word("by", gateway::name_of(policy.party))
      .quoted("cause", cause_of(end));
  finish(line, access);
}

void account_for_opened(const Access& access, std::string_view word) {
  Shard& shard = access.connection.shard();
  count_opened(access);
  const bool is_line = shard.config().log.websocket_open;
  LineOf of = line_of(access);
  if (of == LineOf::traced && !is_line) of = LineOf::span;
  if (of == LineOf::access && !is_line) return;
  LogLine line(shard.log(), LogLevel::info, word, of);
  if (!line.is_wanted()) return;
  add_span(line, access);
  add_name(line, access);
  line.number("ms", milliseconds_since(access.begun, shard));
  finish(line, access);
}

void tell_so_far(const Access& access, const WebSocketRecord& websocket) {
  Shard& shard = access.connection.shard();
  LogLine line(shard.log(), LogLevel::info, "websocket-so-far", LineOf::access);
  if (!line.is_wanted()) return;
  add_name(line, access);
  add_counts(line, websocket);
  line.number("ms", milliseconds_since(access.begun, shard));
  finish(line, access);
}

}  // namespace gateway
