// The request's way to a server: dial, head, body; and once more where it may be sent again.
#include "gateway/exchange/framing.hh"
#include "gateway/exchange/heads.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

// RFC 9110 section 9.2.2.
bool is_idempotent(http::Method method) {
  switch (method) {
    case http::Method::kGet:
    case http::Method::kHead:
    case http::Method::kOptions:
    case http::Method::kTrace:
    case http::Method::kPut:
    case http::Method::kDelete:
      return true;
    default:
      return false;
  }
}

}  // namespace

uring::Task<> Exchange::proxy() {
  dialler_ = frames().make<Dialler>(connection_, config(), generation_->pool(route_->pool));
  for (;;) {
    const bool connected = co_await dial();
    if (!connected) co_return;
    const Outcome outcome = co_await forward();
    if (outcome == Outcome::kTunnel) co_return;
    release_upstream();
    if (outcome == Outcome::kEnded || connection_.ended()) co_return;
    ++resends_;
  }
}

// False: it has ended.
uring::Task<bool> Exchange::dial() {
  // A second try goes over a new connection: the other kept ones may be as dead.
  const auto kept = resends_ == 0 ? Dialler::Kept::kUsed : Dialler::Kept::kNotUsed;
  if (kept == Dialler::Kept::kUsed) upstream_ = dialler_->take_kept();
  if (upstream_ == nullptr) {
    if (resends_ == 0) watch_client_while_dialling();
    upstream_ = co_await dialler_->dial(kept);
  }
  server_ = &dialler_->server();
  co_return upstream_ != nullptr;
}

// A dial may take long. What is sent again has been received to its end and is watched already.
void Exchange::watch_client_while_dialling() {
  if (skip_buffered_body()) return presence_.watch();
  // Of an upload nothing more is read yet: a reset is noticed nevertheless.
  presence_.watch_hangup();
}

uring::Task<Exchange::Outcome> Exchange::forward() {
  const http::BodyFraming framing = http::request_framing(heads_->request);
  if (framing.kind == http::Framing::kChunked && server_->speaks_only_1_0()) {
    refuse(411, "the server speaks HTTP/1.0: it needs a Content-Length");
    co_return Outcome::kEnded;
  }
  chunked_to_upstream_ = framing.kind == http::Framing::kChunked;
  heads_->response_bytes.clear();
  upstream_sent_before_ = upstream_->link().sent_bytes();
  send_request_head();
  if (!pass_buffered_body()) co_return Outcome::kEnded;
  if (request_body_.done()) {
    finish_request_body();
  } else {
    await_server();
    request_pump_runs_ = true;
    request_pump_ = pump_request();
    request_pump_.start();
  }
  const bool answered = co_await receive_response();
  if (answered && websocket_ && heads_->response.status == 101) {
    if (open_tunnel()) co_return Outcome::kTunnel;
  } else if (answered) {
    co_await pump_response();
  }
  if (request_pump_runs_) {
    // The exchange is over, whatever the client still wants to upload.
    connection_.client().abort();
    upstream_->link().abort();
    co_await request_done_.wait();
  }
  co_return std::exchange(send_again_, false) ? Outcome::kSendAgain : Outcome::kEnded;
}

void Exchange::send_request_head() {
  std::string& head = connection_.shard().scratch();
  head.clear();
  forward_request(head, heads_->request, heads_->request_buffer(),
                  {.peer_address = connection_.client_address(),
                   .listener_port = connection_.listener().address.port(),
                   .secure = connection_.secure(),
                   .peer_trusted = connection_.peer_trusted(),
                   .via = config().via,
                   .target = heads_->target,
                   .changes = route_->request_headers,
                   .websocket = websocket_});
  upstream_->link().write(proto::as_bytes(head));
}

// What came with the head. It stays in the input, so that it can be sent again. False: it is not
// valid.
bool Exchange::pass_buffered_body() {
  request_body_ = http::BodyDecoder(http::request_framing(heads_->request));
  to_upstream_bytes_ = 0;
  request_trailers_.clear();
  const Bytes input = connection_.input().bytes();
  Bytes rest = input;
  pass_request_body(rest);
  client_.claim_input(input.size() - rest.size());
  return !connection_.ended();
}

uring::Task<> Exchange::pump_request() {
  const auto arming =
      chunked_to_upstream_ ? uring::Socket::Arming::kOnce : uring::Socket::Arming::kStream;
  Link& client = connection_.client();
  Link& upstream = upstream_->link();
  body_read_beyond_input_ = true;
  presence_.begin_reading();
  while (!request_body_.done() && !connection_.ended() && !upstream.send_failed()) {
    const std::uint64_t most = chunked_to_upstream_ ? ~std::uint64_t{0} : request_body_.remaining();
    Bytes bytes = co_await client.read_for(upstream, arming, most);
    if (bytes.empty()) {
      if (client.end() != uring::LinkEnd::kAborted) {
        connection_.end(connection_.how_client_left());
      }
      break;
    }
    connection_.touch();
    pass_request_body(bytes);
    // The next request has come along.
    if (!connection_.ended()) connection_.input().append(bytes);
  }
  client.end_reading_for();
  request_pump_runs_ = false;
  presence_.end_reading();
  if (request_body_.done()) finish_request_body();
  request_done_.set();
}

void Exchange::pass_request_body(Bytes& bytes) {
  const std::uint64_t body_max = body_bytes_max(*route_, config());
  while (!bytes.empty() && !request_body_.done()) {
    const auto piece = request_body_.next(bytes);
    if (!piece) {
      connection_.end({.reason = Reason::kBadBody, .detail = piece.error().reason});
      return;
    }
    bytes = bytes.subspan(piece->consumed);
    request_trailers_.append(proto::as_text(piece->trailers));
    if (piece->payload.empty()) continue;
    to_upstream_bytes_ += piece->payload.size();
    if (body_max > 0 && to_upstream_bytes_ > body_max) {
      return connection_.end({.reason = Reason::kBodyTooLarge});
    }
    write_body(upstream_->link(), piece->payload, chunked_to_upstream_);
  }
}

void Exchange::finish_request_body() {
  if (chunked_to_upstream_) {
    write_last_chunk(upstream_->link(), connection_.shard().scratch(), request_trailers_,
                     heads_ ? &heads_->request : nullptr,
                     heads_ ? heads_->request_buffer() : Bytes{}, route_->request_headers);
  }
  request_whole_ = true;
  if (!client_.has_begun() && hold_ != Hold::kTooLong) await_server();
  presence_.watch();
}

// For the next piece of the request's body first, where it is not whole.
void Exchange::await_server() {
  if (request_whole_) {
    return connection_.set_deadline(config().timeouts.upstream_response,
                                    {.reason = Reason::kResponseTimeout});
  }
  connection_.set_deadline(
      config().timeouts.request_body_idle,
      {.reason = Reason::kRequestTimeout, .detail = "the request's body stopped arriving"});
}

// Nothing has been answered: whether the server may get the request a second time, or another one
// for the first (RFC 9110 section 9.2.2).
bool Exchange::may_send_again() const {
  if (resends_ == kResendsMax || body_read_beyond_input_ || connection_.ended()) return false;
  if (interim_passed_ || client_.has_begun()) return false;
  const bool never_left =
      upstream_->link().sent_bytes() == upstream_sent_before_ && upstream_->link().send_failed();
  return never_left || is_idempotent(method_);
}

void Exchange::release_upstream() {
  Upstreams& upstreams = connection_.shard().upstreams();
  UpstreamConnection& connection = *std::exchange(upstream_, nullptr);
  Link& link = connection.link();
  const bool reusable = upstream_reusable_ && request_whole_ && !connection_.ended() &&
                        !link.has_unsent() && link.end() == uring::LinkEnd::kNone;
  if (reusable) return upstreams.keep(connection, server_keeps_s_, upstream_reuse_);
  upstreams.close(connection, farewell_to_upstream());
}

// As the client went: what is not whole does not end like something whole.
Farewell Exchange::farewell_to_upstream() const {
  if (connection_.is_cut()) return Farewell::kNone;
  if (connection_.ended() && connection_.how_ended().reason == Reason::kClientReset) {
    return Farewell::kReset;
  }
  if (!client_.is_whole()) return Farewell::kNone;
  return request_whole_ ? Farewell::kPolite : Farewell::kTruncated;
}

}  // namespace gateway
