#include "gateway/websocket/tunnel.hh"

#include <utility>

#include "gateway/shard/access_log.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

Tunnel::Tunnel(Connection& connection, TunnelOpening opening)
    : connection_(connection),
      under_way_(connection.shard().under_way().websockets),
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
  under_way_.reset();
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
  const Party party = end.is_done() ? relay_.closed_by() : policy_of(end.reason).party;
  const std::string code = close_code_text();
  account_for({.connection = connection_,
               .generation = *generation_,
               .request_line = request_line_,
               .route = &route_,
               .server = &server_,
               .begun = begun_},
              WebSocketRecord{.from_client = relay_.from_client(),
                              .from_upstream = relay_.from_upstream(),
                              .party = party,
                              .code = code});
}

}  // namespace gateway
