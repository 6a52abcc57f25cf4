#include "gateway/websocket/tunnel.hh"

#include <chrono>
#include <utility>

#include "gateway/log/quoted.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

Tunnel::Tunnel(Connection& connection, TunnelOpening opening)
    : connection_(connection),
      generation_(std::move(opening.generation)),
      route_(opening.route),
      upstream_(&opening.upstream),
      server_(opening.upstream.server()),
      request_line_(std::move(opening.request_line)),
      begun_(opening.begun),
      relay_(connection.shard().loop(), connection.client(), opening.upstream.link(),
             {.rsv_allowed = opening.rsv_allowed,
              .idle = route_.timeouts.websocket_idle,
              .upstream_lost_code = route_.websocket.upstream_lost_code},
             connection.detail()) {}

bool Tunnel::stop(const End& end) {
  if (upstream_ == nullptr) return false;
  relay_.stop(end);
  return true;
}

void Tunnel::abort() {
  if (upstream_ != nullptr) upstream_->link().abort();
}

void Tunnel::settle() {
  relay_.stop_watching();
  connection_.complete(relay_.how_ended());
  connection_.shard().upstreams().close(*std::exchange(upstream_, nullptr), farewell_to_upstream());
  log();
}

Farewell Tunnel::farewell_to_upstream() const {
  if (connection_.is_cut()) return Farewell::kNone;
  if (connection_.how_ended().reason == Reason::kClientReset) return Farewell::kReset;
  return relay_.upstream_stream_is_whole() ? Farewell::kPolite : Farewell::kTruncated;
}

Farewell Tunnel::farewell_to_client() const {
  return relay_.client_stream_is_whole() ? Farewell::kPolite : Farewell::kTruncated;
}

// The code of the first close frame that somebody got to see, or "-".
std::string Tunnel::close_code_text() const {
  const bool ours = relay_.closed_by() == Party::kNobody;
  const bool never_sent = ours && connection_.is_cut() && connection_.client().has_unsent();
  return relay_.close_code() == 0 || never_sent ? "-" : std::to_string(relay_.close_code());
}

void Tunnel::log() const {
  const End& end = connection_.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  const Relay::Counts from_client = relay_.from_client();
  const Relay::Counts from_upstream = relay_.from_upstream();
  const Party party = end.is_done() ? relay_.closed_by() : policy.party;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      connection_.shard().loop().now() - begun_);
  connection_.shard().log().info(
      "websocket id={} n={} client={}:{} request={} route={} upstream={} client_frames={} "
      "client_messages={} client_bytes={} upstream_frames={} upstream_messages={} "
      "upstream_bytes={} ms={} end={} by={} code={} cause={}",
      connection_.id(), connection_.requests(), connection_.client_address(),
      connection_.client_port(), Quoted(request_line_), route_.name, server_.text(),
      from_client.frames, from_client.messages, from_client.payload_bytes, from_upstream.frames,
      from_upstream.messages, from_upstream.payload_bytes, elapsed.count(), policy.word,
      name_of(party), close_code_text(), Quoted(cause_of(end)));
}

}  // namespace gateway
