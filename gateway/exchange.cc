#include "gateway/exchange.hh"

#include "gateway/exchange_heads.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard.hh"

namespace gateway {

Exchange::Exchange(Connection& connection)
    : connection_(connection),
      config_(connection.shard().snapshot()),
      begun_(connection.shard().loop().now()),
      heads_(std::make_unique<Heads>()),
      request_done_(connection.shard().loop().ready()),
      grace_(connection.shard().loop().timers(), grace_over_) {}

Exchange::~Exchange() = default;

uring::Task<> Exchange::run() {
  const bool received = co_await receive_request();
  if (!received || !find_route() || !judge_upgrade()) co_return;
  watch_client();
  const bool connected = co_await dial();
  if (connected) co_await forward();
}

void Exchange::finish() {
  connection_.client().unwatch_hangup();
  grace_.disarm();
  if (relay_) {
    log_websocket();
  } else if (head_bytes_ > 0) {
    log_request();
  }
}

void Exchange::abort() {
  if (upstream_) upstream_->abort();
}

bool Exchange::stop_relay(const End& end) {
  if (!relay_) return false;
  relay_->stop(end);
  return true;
}

uring::Task<bool> Exchange::dial() {
  Shard& shard = connection_.shard();
  const config::Pool& pool = config_->pools[route_->pool];
  connection_.set_deadline(config_->timeouts.connect, {.reason = Reason::kConnectTimeout});
  const std::size_t first = shard.next_server();
  for (std::size_t tried = 0; tried < pool.servers.size(); ++tried) {
    server_ = &pool.servers[(first + tried) % pool.servers.size()];
    const bool connected = co_await dial_server(*server_);
    if (connected) co_return true;
    if (connection_.ended()) co_return false;
  }
  connection_.end({.reason = Reason::kUpstreamUnreachable, .error = last_connect_error_});
  co_return false;
}

uring::Task<bool> Exchange::dial_server(const config::Server& server) {
  for (const config::Address& address : server.addresses) {
    upstream_ = std::make_unique<Link>(connection_.shard().links());
    last_connect_error_ = co_await upstream_->connect(address.get(), address.length);
    if (last_connect_error_ == 0) co_return true;
    co_await upstream_->close();
    if (connection_.ended()) break;
  }
  co_return false;
}

uring::Task<> Exchange::forward() {
  connection_.set_deadline(config_->timeouts.upstream_response,
                           {.reason = Reason::kResponseTimeout});
  send_request_head();
  if (http::request_framing(heads_->request).kind != http::Framing::kNone) {
    request_pump_runs_ = true;
    connection_.client().unwatch_hangup();
    request_pump_ = pump_request();
    request_pump_.start();
  }
  const bool answered = co_await receive_response();
  if (answered) {
    if (websocket_ && status_ == 101) {
      if (accept_websocket()) co_await run_websocket();
    } else {
      co_await pump_response();
    }
  }
  if (request_pump_runs_) {
    // The exchange is over, whatever the client still wants to upload.
    connection_.client().abort();
    upstream_->abort();
    co_await request_done_.wait();
  }
}

uring::Task<> Exchange::close_upstream() {
  if (!upstream_) co_return;
  if (relay_ && !connection_.is_cut() && upstream_->end() != uring::LinkEnd::kFailed) {
    upstream_->clear_abort();
    upstream_->write_end();
    co_await upstream_->drained();
  }
  co_await upstream_->close();
}

void Exchange::watch_client() {
  watched_since_ = connection_.shard().loop().now();
  connection_.client().watch_hangup(client_left_);
}

// The client closed while nothing is read from it. A reset means that it is gone, a FIN behind the
// request that it only has nothing more to say; one that comes later means, a moment later, that it
// is gone.
void Exchange::on_client_left() {
  if (connection_.client().peer_gone()) {
    return connection_.end({.reason = Reason::kClientReset});
  }
  uring::Loop& loop = connection_.shard().loop();
  const bool came_with_request = !request_sent_ || loop.now() - watched_since_ <= kFinWithRequest;
  if (!came_with_request) grace_.arm(loop.now() + kHalfCloseGrace);
}

void Exchange::on_grace_over() {
  connection_.end({.reason = Reason::kClientLeft});
}

void Exchange::end_of_client() {
  const Link& client = connection_.client();
  switch (client.end()) {
    case uring::LinkEnd::kAborted:
      return;
    case uring::LinkEnd::kTruncated:
      return connection_.end({.reason = Reason::kClientTruncated});
    case uring::LinkEnd::kFailed:
      return connection_.end({.reason = Reason::kClientReset, .error = client.error_number()});
    case uring::LinkEnd::kTlsFailed:
      detail_ = connection_.client().session()->error().text();
      return connection_.end({.reason = Reason::kTlsFailed, .detail = detail_});
    default:
      return connection_.end({.reason = Reason::kClientLeft});
  }
}

void Exchange::end_of_upstream() {
  if (upstream_->end() == uring::LinkEnd::kAborted) return;
  if (upstream_->end() == uring::LinkEnd::kFailed) {
    return connection_.end({.reason = Reason::kUpstreamReset, .error = upstream_->error_number()});
  }
  connection_.end({.reason = Reason::kUpstreamLeft});
}

void Exchange::log_request() {
  const End& end = connection_.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  const std::uint16_t status = status_ != 0 ? status_ : status_of(end);
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      connection_.shard().loop().now() - begun_);
  connection_.shard().log().info(
      "request id={} client={}:{} request={} route={} upstream={} status={} request_bytes={} "
      "response_bytes={} ms={} end={} by={} cause={}",
      connection_.id(), connection_.client_address(), connection_.client_port(),
      quoted(request_line_), route_ != nullptr ? route_->name : "-",
      server_ != nullptr ? server_->text : "-", status, to_upstream_bytes_, to_client_bytes_,
      elapsed.count(), policy.word, name_of(policy.party), quoted(cause_of(end)));
}

void Exchange::log_websocket() {
  const End& end = connection_.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  const Relay::Counts from_client = relay_->from_client();
  const Relay::Counts from_upstream = relay_->from_upstream();
  const Party party = end.is_done() ? relay_->closed_by() : policy.party;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      connection_.shard().loop().now() - begun_);
  connection_.shard().log().info(
      "websocket id={} client={}:{} request={} route={} upstream={} client_frames={} "
      "client_messages={} client_bytes={} upstream_frames={} upstream_messages={} "
      "upstream_bytes={} ms={} end={} by={} code={} cause={}",
      connection_.id(), connection_.client_address(), connection_.client_port(),
      quoted(request_line_), route_->name, server_->text, from_client.frames, from_client.messages,
      from_client.payload_bytes, from_upstream.frames, from_upstream.messages,
      from_upstream.payload_bytes, elapsed.count(), policy.word, name_of(party),
      relay_->close_code(), quoted(cause_of(end)));
}

}  // namespace gateway
