#include "gateway/exchange/response_side.hh"

#include <cerrno>
#include <utility>

#include "gateway/link/link_end.hh"
#include "gateway/log/line.hh"
#include "gateway/rewrite/fields.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

constexpr std::uint32_t kHeadBytesMax = 64 * 1024;

}  // namespace

ResponseSide::ResponseSide(Facts& facts, ClientStream& client)
    : facts_(facts), client_(client), trailers_(&facts.connection.frames()) {}

uring::Task<ResponseSide::HeadIn> ResponseSide::receive_head() {
  Heads& heads = *facts_.heads;
  Link& upstream = facts_.upstream->link();
  const std::size_t fields_max = facts_.route->limits.response_header_fields;
  http::ResponseParser parser(heads.response, {.head_bytes = kHeadBytesMax,
                                               .fields = static_cast<std::uint32_t>(fields_max)});
  for (;;) {
    const HeadIn state = parser.parse(heads.response_buffer());
    if (!state) co_return state;
    if (*state == http::HeadState::kComplete) co_return state;
    const Bytes received = co_await upstream.read_once(Upstreams::kHeadReadBytes);
    if (received.empty()) co_return http::HeadState::kMore;
    heads.response_bytes.append(proto::as_text(received));
    upstream.release();
  }
}

void ResponseSide::pass_interim() {
  Heads& heads = *facts_.heads;
  client_.interim(heads.response, {heads.response_buffer(), facts_.route->response_headers});
  heads.response_bytes.erase(0, heads.response.bytes);
  state_ = State::kHeld;
}

bool ResponseSide::end_hold() {
  return std::exchange(state_, State::kInterim) == State::kHeldTooLong;
}

void ResponseSide::begin(bool finishes_request) {
  const http::ResponseHead& head = facts_.heads->response;
  const http::BodyFraming framing = http::response_framing(facts_.method, head);
  body_ = http::BodyDecoder(framing, http::ChunkedDecoder::Blanks::kBehindSizes);
  learn_reuse(framing.kind);
  facts_.connection.set_deadline(facts_.route->timeouts.response_idle, Reason::kIdle);
  client_.head(head,
               {facts_.heads->response_buffer(), facts_.route->response_headers, facts_.sticky},
               framing, finishes_request);
  state_ = State::kBegun;
  pass(facts_.heads->behind_response());
}

void ResponseSide::learn_reuse(http::Framing framing) {
  const http::ResponseHead& head = facts_.heads->response;
  server_keeps_s_ = head.keep_alive_seconds;
  if (framing == http::Framing::kUntilClose || !http::keeps_alive(head)) return;
  // An answer to HEAD, a 204 or 304 has no body, but some servers send the one that they speak of.
  const bool may_have_body =
      facts_.method == http::Method::kHead || head.chunked || head.content_length.value_or(0) > 0;
  const bool doubtful = framing == http::Framing::kNone && may_have_body;
  reuse_ = doubtful ? Upstreams::Reuse::kLater : Upstreams::Reuse::kAtOnce;
}

// For its trailers: they may be many, and Connection may name some.
bool ResponseSide::needs_heads() const {
  if (body_.done()) return true;
  const http::ResponseHead& head = facts_.heads->response;
  const Bytes buffer = facts_.heads->response_buffer();
  return head.chunked &&
         (head.fields.contains(buffer, "Trailer") || HopFilter(head.fields, buffer).names_more());
}

bool ResponseSide::finish_at_once() {
  if (!body_.done()) return false;
  if (!facts_.connection.ended()) finish();
  return true;
}

uring::Task<> ResponseSide::pump() {
  CHECK(!body_.done(), "finish_at_once() goes first");
  // Each piece costs a chunk of its own.
  const bool adds_to_pieces = client_.arming() == uring::Socket::Arming::kOnce;
  if (adds_to_pieces) facts_.upstream->link().stop_streaming();
  return pump(facts_.upstream->link(), facts_.connection.client());
}

template <Outlet To, Inlet<To> From>
uring::Task<> ResponseSide::pump(From& upstream, To& client) {
  Connection& connection = facts_.connection;
  bool going_on = !connection.ended();
  while (going_on && !body_.done()) {
    const Bytes bytes = co_await upstream.read_for(client, client_.arming());
    if (bytes.empty()) {
      // Where the send has heard of a reset, the receive sees a mere end; behind a FIN the send
      // hears EPIPE.
      const bool reset = upstream.send_failed() && upstream.send_error() != EPIPE;
      const bool ended = upstream.end() == uring::LinkEnd::kEndOfStream && !reset;
      if (ended && body_.complete_at_end_of_stream()) break;
      if (upstream.end() == uring::LinkEnd::kAborted) co_return;
      connection.end(end_of_link(upstream, Party::kUpstream, connection.detail()));
      co_return;
    }
    connection.touch();
    going_on = pass(bytes);
  }
  upstream.end_reading_for();
  if (going_on) finish();
}

// False: the client's connection has ended, and the last bytes have not been passed on.
bool ResponseSide::pass(Bytes bytes) {
  Connection& connection = facts_.connection;
  while (!bytes.empty() && !body_.done()) {
    const auto piece = body_.next(bytes);
    if (!piece) {
      connection.end({.reason = Reason::kBadResponse, .detail = piece.error().reason});
      return false;
    }
    bytes = bytes.subspan(piece->consumed);
    trailers_.append(proto::as_text(piece->trailers));
    if (piece->payload.empty()) continue;
    payload_bytes_ += piece->payload.size();
    client_.body(piece->payload);
  }
  if (!bytes.empty()) drop_surplus(bytes.size());
  if (connection.client().send_failed()) connection.end(connection.how_client_left());
  return !connection.ended();
}

// Behind a complete answer (RFC 9112 section 6.3) nothing may come: it is nobody's answer. The same
// servers send a body with an answer to HEAD.
void ResponseSide::drop_surplus(std::size_t bytes) {
  reuse_.reset();
  Connection& connection = facts_.connection;
  const std::string& server = facts_.upstream->server().text();
  std::string& name = connection.shard().scratch();
  name.assign("surplus ").append(server);
  if (!connection.shard().may_log(LogLevel::warning, name)) return;
  LogLine(connection.shard().log(), LogLevel::warning, "surplus")
      .number("id", connection.id())
      .number("n", connection.requests())
      .quoted("request", facts_.request_line)
      .word("route", facts_.route->name)
      .word("upstream", server)
      .number("bytes", bytes)
      .remark("the server sent more than its answer; its connection is not used again")
      .write();
}

void ResponseSide::finish() {
  const Heads* const heads = facts_.heads.get();
  client_.finish(
      trailers_, heads != nullptr ? &heads->response : nullptr,
      {heads != nullptr ? heads->response_buffer() : Bytes{}, facts_.route->response_headers});
  state_ = State::kWhole;
}

void ResponseSide::set_deadline() {
  facts_.connection.set_deadline(facts_.route->timeouts.upstream_response,
                                 Reason::kResponseTimeout);
}

bool ResponseSide::give_client_time() {
  if (state_ != State::kHeld) return false;
  state_ = State::kHeldTooLong;
  facts_.connection.set_deadline(Connection::kFlushTime, Reason::kIdle,
                                 "the client takes no answers");
  return true;
}

}  // namespace gateway
