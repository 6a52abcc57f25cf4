// A client that closes its stream may be gone, or may have nothing more to say and wait for the
// response; TCP tells the two apart only when something is sent. Every response begins with the
// same bytes, so these are sent ahead; and a chunk's size may begin with a zero (RFC 9112 section
// 7.1).
#include "gateway/client/client_stream.hh"

#include "gateway/exchange/framing.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

constexpr std::size_t kHeadReadBytes = 4096;
constexpr std::string_view kChunkSizeStart = "0";

http::HeadLimits head_limits(const config::Limits& limits) {
  return {.head_bytes = static_cast<std::uint32_t>(limits.header_bytes),
          .target_bytes = static_cast<std::uint32_t>(limits.target_bytes),
          .fields = static_cast<std::uint32_t>(limits.header_fields)};
}

}  // namespace

ClientStream::HeadIn ClientStream::take_head(http::RequestHead& head, std::pmr::string& bytes) {
  http::RequestParser parser(head, head_limits(config_.limits));
  return take_head(parser, head, bytes);
}

ClientStream::HeadIn ClientStream::take_head(http::RequestParser& parser, http::RequestHead& head,
                                             std::pmr::string& bytes) {
  InputBuffer& input = connection_.input();
  const HeadIn state = parser.parse(input.bytes());
  if (!state || *state == http::HeadState::kMore) return state;
  bytes.assign(input.text().substr(0, head.bytes));
  input.take(head.bytes);
  is_1_0_ = head.minor_version == 0;
  asked_to_keep_ = http::keeps_alive(head);
  return state;
}

uring::Task<ClientStream::HeadIn> ClientStream::receive_head(http::RequestHead& head,
                                                             std::pmr::string& bytes) {
  http::RequestParser parser(head, head_limits(config_.limits));
  for (;;) {
    const Bytes received = co_await connection_.client().read_once(kHeadReadBytes);
    if (received.empty()) co_return http::HeadState::kMore;
    connection_.input().append(received);
    connection_.client().release();
    const HeadIn state = take_head(parser, head, bytes);
    if (!state || *state == http::HeadState::kComplete) co_return state;
  }
}

bool ClientStream::wants_to_keep() const {
  const std::uint64_t most = config_.limits.requests;
  const bool stops = connection_.stopping() || connection_.shard().is_to_stop();
  return asked_to_keep_ && !stops && (most == 0 || connection_.requests() < most);
}

// Decides what this response says of the connection.
Persistence ClientStream::persistence(bool finishes_request) {
  keeps_ = wants_to_keep() && framing_ != http::Framing::kUntilClose && finishes_request;
  if (!keeps_) return Persistence::kClose;
  return is_1_0_ ? Persistence::kKeepAlive : Persistence::kSilent;
}

// Its first bytes may have been sent ahead.
void ClientStream::write_head(std::string_view head) {
  if (state_ == State::kSentAhead) head.remove_prefix(kStatusLineStart.size());
  connection_.client().write(proto::as_bytes(head));
}

void ClientStream::interim(const http::ResponseHead& head, const HeadOut& out) {
  if (is_1_0_) return;
  std::string& text = connection_.shard().scratch();
  text.clear();
  forward_interim(text, head, out.buffer, out.changes);
  write_head(text);
  state_ = State::kSilent;
}

void ClientStream::switch_protocols(const http::ResponseHead& head, const HeadOut& out,
                                    const std::optional<ws::Deflate>& deflate,
                                    std::string_view protocol) {
  std::string& text = connection_.shard().scratch();
  text.clear();
  forward_switch(text, head, out.buffer, config_.via, out.changes, deflate, out.sticky, protocol);
  write_head(text);
  state_ = State::kWhole;
}

void ClientStream::head(const http::ResponseHead& head, const HeadOut& out,
                        http::BodyFraming framing, bool finishes_request) {
  // The framing belongs to the writing side: an end that is told, where the client understands it.
  if (framing.kind == http::Framing::kUntilClose || framing.kind == http::Framing::kChunked) {
    framing.kind = is_1_0_ ? http::Framing::kUntilClose : http::Framing::kChunked;
  }
  framing_ = framing.kind;
  status_ = head.status;
  std::string& text = connection_.shard().scratch();
  text.clear();
  forward_response(text, head, out.buffer,
                   {.framing = framing,
                    .persistence = persistence(finishes_request),
                    .via = config_.via,
                    .changes = out.changes,
                    .sticky = out.sticky});
  write_head(text);
  state_ = State::kBegun;
}

void ClientStream::body(Bytes payload) {
  write_body(connection_.client(), payload, framing_ == http::Framing::kChunked);
}

void ClientStream::finish(std::string_view trailers, const http::ResponseHead* head,
                          const HeadOut& out) {
  if (framing_ == http::Framing::kChunked) {
    write_last_chunk(connection_.client(), connection_.shard().scratch(), trailers, head,
                     out.buffer, out.changes);
  }
  state_ = State::kWhole;
}

void ClientStream::reply(Reply reply, bool finishes_request) {
  status_ = reply.status;
  reply.persistence = persistence(finishes_request);
  std::string& text = connection_.shard().scratch();
  text.clear();
  write_reply(text, reply);
  write_whole(text);
}

void ClientStream::answer(const config::Answer& answer, bool head_only,
                          const config::HeaderChanges& changes, bool finishes_request) {
  status_ = answer.status;
  std::string& text = connection_.shard().scratch();
  text.clear();
  write_answer(text, answer, persistence(finishes_request), head_only, changes);
  write_whole(text);
}

void ClientStream::write_whole(std::string_view response) {
  write_head(response);
  state_ = State::kWhole;
}

void ClientStream::send_ahead() {
  if (state_ == State::kSilent) {
    connection_.client().write(proto::as_bytes(kStatusLineStart));
    state_ = State::kSentAhead;
  } else if (state_ == State::kBegun && framing_ == http::Framing::kChunked) {
    connection_.client().write(proto::as_bytes(kChunkSizeStart));
  }
}

Farewell ClientStream::farewell() const {
  if (state_ == State::kSilent) return Farewell::kPolite;
  // Closed properly, a part of a body that ends with its connection would look like the whole.
  const bool ends_body = framing_ == http::Framing::kUntilClose && !connection_.secure();
  if (state_ == State::kWhole) return ends_body ? Farewell::kWholeOrReset : Farewell::kPolite;
  return ends_body ? Farewell::kReset : Farewell::kTruncated;
}

}  // namespace gateway
