#include "gateway/shard/live_row.hh"

#include "gateway/exchange/exchange.hh"
#include "gateway/shard/shard.hh"
#include "gateway/websocket/tunnel.hh"
#include "proto/tls/certificate_facts.hh"

namespace gateway {
namespace {

std::chrono::milliseconds since(uring::Clock::time_point begun, uring::Clock::time_point now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - begun);
}

LivePeer live_peer(const PeerRecord& record) {
  LivePeer peer{.frames = record.sent.frames,
                .messages = record.sent.messages,
                .compressed_messages = record.sent.compressed_messages,
                .bytes = record.sent.payload_bytes,
                .wire_bytes_from = record.wire_bytes_from,
                .wire_bytes_to = record.wire_bytes_to,
                .pushed_back = record.pushed_back};
  if (record.heartbeat != nullptr) {
    peer.last_round_trip = record.heartbeat->last_round_trip();
    peer.worst_round_trip = record.heartbeat->worst_round_trip();
  }
  return peer;
}

}  // namespace

LiveView::LiveView(Connection& connection, unsigned shard)
    : connection_(connection), shard_(shard) {
  const auto now = connection.shard().loop().now();
  auto heard = connection.touched();
  buffered_bytes_ = connection.client().unsent_bytes();
  Tunnel* const tunnel = connection.tunnel();
  const Exchange* const exchange = connection.exchange();
  if (tunnel != nullptr && tunnel->is_open()) {
    access_.emplace(tunnel->access());
    heard = tunnel->last_activity();
    buffered_bytes_ += tunnel->upstream_link().unsent_bytes();
    tunnel_ = tunnel;
    kind_ = tunnel->opaque() != nullptr ? LiveKind::kTunnel : LiveKind::kWebSocket;
    if (kind_ == LiveKind::kWebSocket) {
      from_client_ = live_peer(tunnel->record_of(Party::kClient));
      from_upstream_ = live_peer(tunnel->record_of(Party::kUpstream));
    } else {
      from_client_.bytes = tunnel->opaque()->bytes_from_client();
      from_upstream_.bytes = tunnel->opaque()->bytes_from_upstream();
    }
  } else if (exchange != nullptr && exchange->under_way()) {
    access_.emplace(exchange->access());
    kind_ = LiveKind::kHttp;
    if (exchange->upstream() != nullptr)
      buffered_bytes_ += exchange->upstream()->link().unsent_bytes();
  }
  age_ = since(access_ ? access_->begun : connection.begun(), now);
  idle_ = since(std::min(heard, now), now);
}

std::string_view LiveView::pool() const {
  const bool has_pool = access_ && access_->server != nullptr && access_->route != nullptr;
  if (!has_pool) return {};
  return access_->generation.config().pools[access_->route->pool].name;
}

bool LiveView::matches(const LiveFilter& filter) const {
  const auto is = [](const std::string& wanted, std::string_view has) {
    return wanted.empty() || wanted == has;
  };
  const bool has_route = access_ && access_->route != nullptr;
  const bool has_server = access_ && access_->server != nullptr;
  if (filter.id && *filter.id != connection_.id()) return false;
  if (filter.kind && *filter.kind != kind_) return false;
  if (filter.opened_only && kind_ != LiveKind::kWebSocket && kind_ != LiveKind::kTunnel)
    return false;
  if (age_ < filter.age || idle_ < filter.idle) return false;
  if (buffered_bytes_ < filter.buffered_bytes) return false;
  const bool asks_rate = filter.messages_per_second > 0;
  if (asks_rate && messages_per_second() < filter.messages_per_second) return false;
  if (!is(filter.route, has_route ? std::string_view(access_->route->name) : "")) return false;
  if (!is(filter.pool, pool())) return false;
  if (!is(filter.server, has_server ? std::string_view(access_->server->text()) : "")) return false;
  if (filter.client && !filter.client->contains(connection_.peer().address())) return false;
  return filter.listener.empty() || filter.listener == connection_.listener().address.text();
}

double LiveView::messages_per_second() const {
  return tunnel_ != nullptr ? tunnel_->messages_per_second() : 0;
}

LivePlace LiveView::place(LiveSort sort) const {
  const auto value = [&]() -> double {
    switch (sort) {
      case LiveSort::kId:
        return static_cast<double>(connection_.id());
      case LiveSort::kAge:
        return static_cast<double>(age_.count());
      case LiveSort::kIdle:
        return static_cast<double>(idle_.count());
      case LiveSort::kBuffered:
        return static_cast<double>(buffered_bytes_);
      case LiveSort::kRate:
        return messages_per_second();
      case LiveSort::kMessages:
        return static_cast<double>(from_client_.messages + from_upstream_.messages);
      case LiveSort::kBytes:
        return static_cast<double>(from_client_.bytes + from_upstream_.bytes);
    }
    return 0;
  };
  return {value(), connection_.id()};
}

LiveRow LiveView::row(const LiveQuery& query) const {
  const tls::Session* const session = connection_.client().session();
  LiveRow row{.place = place(query.sort),
              .id = connection_.id(),
              .shard = shard_,
              .kind = kind_,
              .client = std::string(connection_.client_address().text()),
              .port = connection_.client_port(),
              .listener = connection_.listener().address.text(),
              .tls = std::string(session != nullptr ? session->version() : ""),
              .age = age_,
              .idle = idle_,
              .requests = connection_.requests(),
              .from_client = from_client_,
              .from_upstream = from_upstream_,
              .messages_per_second = messages_per_second(),
              .buffered_bytes = buffered_bytes_};
  if (access_) {
    row.request = access_->request_line;
    if (access_->route != nullptr) row.route = access_->route->name;
    if (access_->server != nullptr) row.server = access_->server->text();
    row.pool = pool();
  }
  if (query.details) add_details(row);
  return row;
}

void LiveView::add_details(LiveRow& row) const {
  LiveDetails& details = row.details.emplace();
  if (const tls::Session* const session = connection_.client().session()) {
    details.server_name = session->server_name();
    details.tls_cipher = session->cipher();
    details.tls_group = session->group();
    details.tls_resumed = session->resumed();
    const tls::CertificateFacts* const certificate = session->client_certificate();
    if (certificate != nullptr) details.client_certificate = certificate->subject;
  }
  if (access_) details.generation = access_->generation.number();
  const Tunnel* const tunnel = connection_.tunnel();
  if (tunnel == nullptr || !tunnel->is_open()) return;
  details.is_closing = tunnel->is_closing();
  if (tunnel->opaque() != nullptr) details.protocol = tunnel->opaque()->protocol();
}

}  // namespace gateway
