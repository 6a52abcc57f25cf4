#include "gateway/exchange/request_side.hh"

#include "gateway/exchange/framing.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

namespace {

ForwardedMarks marks_of(const RequestMarks* marks) {
  if (marks == nullptr) return {};
  return {.request_id = marks->request_id(),
          .traceparent = marks->replaces_traceparent() ? marks->traceparent() : "",
          .drops_trace = marks->drops_trace(),
          .keeps_trace = !marks->drops_trace() && !marks->traceparent().empty()};
}

}  // namespace

RequestSide::RequestSide(Facts& facts, ClientStream& client, Presence& presence,
                         ResponseSide& response)
    : facts_(facts),
      client_(client),
      presence_(presence),
      response_(response),
      pump_ended_(facts.connection.shard().loop().ready()),
      trailers_(&facts.connection.frames()) {}

bool RequestSide::send() {
  const http::BodyFraming framing = http::request_framing(facts_.heads->request);
  body_ = http::BodyDecoder(framing);
  chunked_ = framing.kind == http::Framing::kChunked;
  trailers_.clear();
  payload_bytes_ = 0;
  sent_before_ = facts_.upstream->link().sent_bytes();
  state_ = State::kDue;
  // Who reads on behind an upgrade may pause.
  if (facts_.websocket || facts_.opaque) facts_.upstream->link().stop_streaming();
  send_head();
  if (!pass_input()) return false;
  if (body_.done()) {
    finish(State::kInInput);
  } else {
    set_deadline();
    state_ = State::kPumping;
    // Each piece costs a chunk of its own.
    if (chunked_) facts_.connection.client().stop_streaming();
    pump_ = pump(facts_.connection.client(), facts_.upstream->link());
    pump_.start();
  }
  return true;
}

void RequestSide::send_head() {
  std::string& head = facts_.connection.shard().scratch();
  head.clear();
  write_head(head);
  facts_.upstream->link().write(proto::as_bytes(head));
}

void RequestSide::write_head(std::string& head, const AuthQuestion* question) const {
  const Connection& connection = facts_.connection;
  const tls::Session* const session = facts_.connection.client().session();
  const auto& sticky = facts_.config().pools[facts_.route->pool].balance.sticky;
  forward_request(
      head, facts_.heads->request, facts_.heads->request_buffer(),
      {.peer_address = connection.client_address(),
       .listener_port = connection.listener().address.port(),
       .secure = connection.secure(),
       .peer_trusted = connection.peer_trusted(),
       .via = facts_.config().via,
       .target = facts_.heads->target,
       .changes = facts_.route->request_headers,
       .websocket = facts_.websocket ? &facts_.route->websocket : nullptr,
       .sticky_cookie = sticky ? std::string_view(sticky->cookie) : "",
       .upgrade = question == nullptr ? facts_.heads->protocol : "",
       .identity = facts_.identity,
       .question = question,
       .client_certificate = session != nullptr ? session->client_certificate() : nullptr,
       .marks = marks_of(facts_.marks.get())});
}

bool RequestSide::pass_input() {
  const Bytes input = facts_.connection.input().bytes();
  Bytes rest = input;
  pass(rest);
  client_.claim_input(input.size() - rest.size());
  return !facts_.connection.ended();
}

template <Outlet To, Inlet<To> From>
uring::Task<> RequestSide::pump(From& client, To& upstream) {
  const auto arming = chunked_ ? uring::Socket::Arming::kOnce : uring::Socket::Arming::kStream;
  Connection& connection = facts_.connection;
  presence_.begin_reading();
  while (!body_.done() && !connection.ended() && !upstream.send_failed()) {
    const std::uint64_t most = chunked_ ? ~std::uint64_t{0} : body_.remaining();
    Bytes bytes = co_await client.read_for(upstream, arming, most);
    if (bytes.empty()) {
      if (client.end() != uring::LinkEnd::kAborted) connection.end(connection.how_client_left());
      break;
    }
    connection.touch();
    pass(bytes);
    // The next request has come along.
    if (!connection.ended()) connection.input().append(bytes);
  }
  client.end_reading_for();
  presence_.end_reading();
  state_ = State::kCut;
  if (body_.done()) {
    finish(State::kPumped);
  } else if (!connection.ended()) {
    give_up();
  }
  pump_ended_.set();
}

// Leaves what lies behind the body.
void RequestSide::pass(Bytes& bytes) {
  const std::uint64_t most = facts_.route->limits.body_bytes;
  while (!bytes.empty() && !body_.done()) {
    const auto piece = body_.next(bytes);
    if (!piece) {
      return facts_.connection.end({.reason = Reason::kBadBody, .detail = piece.error().reason});
    }
    bytes = bytes.subspan(piece->consumed);
    trailers_.append(proto::as_text(piece->trailers));
    if (piece->payload.empty()) continue;
    payload_bytes_ += piece->payload.size();
    if (most > 0 && payload_bytes_ > most) {
      return facts_.connection.end({.reason = Reason::kBodyTooLarge});
    }
    write_body(facts_.upstream->link(), piece->payload, chunked_);
  }
}

void RequestSide::finish(State whole) {
  if (chunked_) {
    // The heads go when the request is whole, at the earliest.
    write_last_chunk(facts_.upstream->link(), facts_.connection.shard().scratch(), trailers_,
                     &facts_.heads->request, facts_.heads->request_buffer(),
                     facts_.route->request_headers);
  }
  state_ = whole;
  if (response_.is_awaited()) set_deadline();
  presence_.watch();
}

// The server takes nothing more of it, but may have answered: what still arrives is nobody's.
void RequestSide::give_up() {
  facts_.connection.client().drop_input();
  presence_.watch_hangup();
}

bool RequestSide::ends_in_input() {
  if (state_ != State::kDue) return is_whole();
  http::BodyDecoder body(http::request_framing(facts_.heads->request));
  const Bytes input = facts_.connection.input().bytes();
  Bytes rest = input;
  while (!rest.empty() && !body.done()) {
    const auto piece = body.next(rest);
    if (!piece) return false;
    rest = rest.subspan(piece->consumed);
  }
  client_.claim_input(input.size() - rest.size());
  if (body.done()) state_ = State::kInInput;
  return is_whole();
}

bool RequestSide::never_left() const {
  Link& upstream = facts_.upstream->link();
  return upstream.sent_bytes() == sent_before_ && upstream.send_failed();
}

bool RequestSide::is_stuck() const {
  if (facts_.upstream == nullptr || is_whole() || client_.has_begun()) return false;
  Link& upstream = facts_.upstream->link();
  return upstream.has_unsent() || upstream.send_failed();
}

void RequestSide::set_deadline() {
  if (is_whole()) return response_.set_deadline();
  facts_.connection.set_deadline(facts_.route->timeouts.request_body_idle, Reason::kRequestTimeout,
                                 "the request's body stopped arriving");
}

}  // namespace gateway
