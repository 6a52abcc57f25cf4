#include "gateway/admin/connection.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/admin/feed_talk.hh"
#include "gateway/admin/response_head.hh"
#include "gateway/admin/server.hh"
#include "gateway/link/write_all.hh"
#include "proto/http/body.hh"
#include "proto/http/syntax.hh"
#include "proto/ws/handshake.hh"

namespace gateway::admin {
namespace {

constexpr std::size_t kReadBytes = 4096;

// Of what is anybody's.
bool is_free_to_see(std::string_view path) {
  return path == "/" || path == "/healthz" || path == "/ready" || path == "/favicon.ico";
}

}  // namespace

// What the service was asked: its reply finds it, or nobody.
struct Connection::Pending {
  explicit Pending(uring::ReadyList& list) : ready(list) {}

  uring::Event ready;
  std::optional<Reply> reply;
  std::string piece;
};

Connection::Connection(Server& server, int descriptor,
                       std::shared_ptr<tls::ServerContexts> contexts)
    : server_(server),
      client_(server.parts_.links),
      contexts_(std::move(contexts)),
      pending_(std::make_shared<Pending>(server.loop().ready())),
      deadline_(*this, server.loop().timers()),
      story_(story()) {
  client_.adopt(descriptor);
}

Connection::~Connection() = default;

void Connection::start() {
  server_.loop().ready().push(start_or_end_);
}

void Connection::on_start_or_end() {
  if (std::exchange(started_, true)) return server_.forget(*this);
  story_.start();
}

void Connection::cut() {
  cut_ = true;
  client_.abort();
  pending_->ready.set();
}

void Connection::judge_again() {
  constexpr std::uint16_t kPolicyViolation = 1008;
  if (talk_ == nullptr && !streams_) return;
  if (!admin::judge(server_.parts_.service.settings(), credentials_, wish_)) return;
  if (streams_) return cut();
  if (talk_->close(kPolicyViolation, "the token has changed")) expect_within(kPatience);
}

// Nobody waits for the rest.
void Connection::on_left() {
  has_left_ = true;
  pending_->ready.set();
}

void Connection::expect_within(std::chrono::seconds time) {
  deadline_.arm(server_.loop().now() + time);
}

void Connection::on_deadline() {
  client_.abort();
}

uring::Task<> Connection::story() {
  bool open = true;
  if (contexts_) {
    expect_within(kPatience);
    client_.secure(std::make_unique<tls::Session>(*contexts_));
    open = co_await client_.handshake();
  }
  while (open) open = co_await serve_one();
  co_await farewell();
  deadline_.disarm();
  server_.loop().push_next_turn(start_or_end_);
}

uring::Task<bool> Connection::serve_one() {
  http::RequestHead head;
  const bool has_head = co_await receive_head(head);
  if (!has_head) co_return false;
  std::string body;
  const bool has_body = co_await receive_body(head, body);
  if (!has_body) co_return false;
  deadline_.disarm();
  auto request = judge(head);
  if (!request) {
    co_return co_await send(std::move(request.error()));
  }
  request->body = std::move(body);
  if (auto upgrade = upgrade_of(head, *request)) {
    co_await talk(*std::move(upgrade));
    co_return false;
  }
  Reply reply = co_await ask(*std::move(request));
  if (cut_) co_return false;
  co_return co_await send(std::move(reply));
}

uring::Task<bool> Connection::receive_head(http::RequestHead& head) {
  http::RequestParser parser(
      head, {.head_bytes = kHeadBytesMax, .target_bytes = kHeadBytesMax / 2, .fields = 64});
  expect_within(kPatience);
  is_waiting_ = input_.empty();
  for (;;) {
    const auto state = parser.parse(proto::as_bytes(std::string_view(input_)));
    if (!state) {
      head_only_ = keeps_ = false;
      co_await send(error_reply(state.error().status, state.error().reason));
      co_return false;
    }
    if (*state == http::HeadState::kComplete) break;
    const Bytes received = co_await client_.read_once(kReadBytes);
    if (received.empty()) co_return false;
    if (input_.empty()) expect_within(kPatience);
    is_waiting_ = false;
    input_.append(proto::as_text(received));
    client_.release();
  }
  is_waiting_ = false;
  head_ = input_.substr(0, head.bytes);
  input_.erase(0, head.bytes);
  is_1_0_ = head.minor_version == 0;
  keeps_ = http::keeps_alive(head);
  head_only_ = head.method == http::Method::kHead;
  co_return true;
}

// False: there is none, and the client has been told why, or has left.
uring::Task<bool> Connection::receive_body(const http::RequestHead& head, std::string& body) {
  http::BodyDecoder decoder(http::request_framing(head));
  const auto expectation = head.fields.find(head_bytes(), "Expect");
  if (!decoder.done() && expectation && http::equals_ignoring_case(*expectation, "100-continue"))
    client_.write(proto::as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
  while (!decoder.done()) {
    const auto piece = decoder.next(proto::as_bytes(std::string_view(input_)));
    const bool is_too_large = piece && body.size() + piece->payload.size() > kBodyBytesMax;
    if (!piece || is_too_large) {
      keeps_ = false;
      Reply refusal = error_reply(413, fmt::format("a body may have {} bytes", kBodyBytesMax));
      if (!piece) refusal = error_reply(400, piece.error().reason);
      co_await send(std::move(refusal));
      co_return false;
    }
    body.append(proto::as_text(piece->payload));
    input_.erase(0, piece->consumed);
    if (decoder.done() || (piece->consumed > 0 && !input_.empty())) continue;
    const Bytes received = co_await client_.read_once(kReadBytes);
    if (received.empty()) co_return false;
    input_.append(proto::as_text(received));
    client_.release();
  }
  co_return true;
}

// The request, or what is said to who may not ask.
std::expected<Request, Reply> Connection::judge(const http::RequestHead& head) {
  const Bytes bytes = head_bytes();
  const auto& fields = head.fields;
  const tls::Session* const session = client_.session();
  const std::string_view path = head.path.in(bytes);
  credentials_ = {
      .host = head.authority.in(bytes),
      .origin = fields.find(bytes, "Origin"),
      .fetch_site = fields.find(bytes, "Sec-Fetch-Site"),
      .token = token_of_authorization(fields.find(bytes, "Authorization").value_or("")),
      .is_secure = session != nullptr,
      .has_shown_certificate = session != nullptr && session->client_certificate() != nullptr};
  if (credentials_.token.empty())
    credentials_.token =
        token_of_subprotocols(fields.find(bytes, "Sec-WebSocket-Protocol").value_or(""));
  const bool reads = head.method == http::Method::kGet || head_only_;
  wish_ = !reads ? Wish::kChange : is_free_to_see(path) ? Wish::kLook : Wish::kRead;
  if (auto refusal = admin::judge(server_.parts_.service.settings(), credentials_, wish_)) {
    if (refusal->status == 401 && !credentials_.token.empty())
      server_.note_wrong_token(client_.descriptor(), head.method_text.in(bytes), path);
    return std::unexpected(error_reply(refusal->status, refusal->sentence));
  }
  auto segments = segments_of(head.form == http::TargetForm::kOrigin ? path : "/");
  const std::string_view query_text = head.query.in(bytes);
  auto query = Query::parse(query_text.empty() ? query_text : query_text.substr(1));
  if (!segments) return std::unexpected(error_reply(400, "the path is not one of the listener's"));
  if (!query) return std::unexpected(error_reply(400, query.error()));
  return Request{.method = head_only_ ? "GET" : std::string(head.method_text.in(bytes)),
                 .path = *std::move(segments),
                 .query = *std::move(query),
                 .body = {},
                 .accept = std::string(fields.find(bytes, "Accept").value_or(""))};
}

std::optional<Connection::Upgrade> Connection::upgrade_of(const http::RequestHead& head,
                                                          const Request& request) const {
  if (!head.connection.upgrade) return std::nullopt;
  ws::HandshakeFields fields;
  const Bytes bytes = head_bytes();
  for (const http::Field& field : head.fields.all()) {
    fields.add(field.name.in(bytes), field.value.in(bytes));
  }
  const auto verdict = ws::judge_request(head.method_text.in(bytes), !is_1_0_, fields);
  if (verdict.kind != ws::RequestVerdict::Kind::kAccept) return std::nullopt;
  auto feed = server_.parts_.service.feed(request);
  if (!feed || !head.fields.has_token(bytes, "Sec-WebSocket-Protocol", feed->subprotocol))
    return std::nullopt;
  return Upgrade{*std::move(feed), std::string(verdict.key)};
}

// Until the service has answered, or the connection is cut.
uring::Task<Reply> Connection::ask(Request request) {
  pending_->ready.clear();
  pending_->reply.reset();
  server_.parts_.service.answer(std::move(request), [weak = std::weak_ptr(pending_)](Reply reply) {
    const auto pending = weak.lock();
    if (pending == nullptr) return;
    pending->reply = std::move(reply);
    pending->ready.set();
  });
  if (cut_) pending_->ready.set();
  co_await pending_->ready.wait();
  co_return pending_->reply ? *std::move(pending_->reply) : Reply{};
}

// Whether the next request may follow.
uring::Task<bool> Connection::send(Reply reply) {
  std::string text;
  write_response_head(text, reply, {.keeps = keeps_, .is_1_0 = is_1_0_});
  client_.write(proto::as_bytes(std::string_view(text)));
  expect_within(kPatience);
  if (!head_only_ && reply.more) {
    streams_ = true;
    const bool is_whole = co_await send_more(reply);
    streams_ = false;
    is_cut_short_ = !is_whole;
    if (!is_whole) co_return false;
  } else if (!head_only_) {
    co_await write_all(client_, reply.body);
  }
  co_await client_.drained();
  // Nothing may stand behind an answer that the client has not taken in time.
  is_cut_short_ = is_over();
  co_return keeps_ && !is_over();
}

// A body of unknown length: in chunks, or, for a client of HTTP/1.0, until the end.
uring::Task<bool> Connection::send_more(const Reply& reply) {
  if (is_1_0_) keeps_ = false;
  std::string piece = reply.body;
  for (;;) {
    if (!piece.empty()) {
      if (!is_1_0_) piece = fmt::format("{:x}\r\n", piece.size()) + piece + "\r\n";
      expect_within(kPatience);
      co_await write_all(client_, piece);
      if (is_over()) co_return false;
    }
    piece = co_await next_piece(reply);
    if (cut_ || has_left_) co_return false;
    if (piece.empty()) break;
  }
  expect_within(kPatience);
  if (!is_1_0_) client_.write(proto::as_bytes("0\r\n\r\n"));
  co_return true;
}

uring::Task<std::string> Connection::next_piece(const Reply& reply) {
  deadline_.disarm();
  pending_->ready.clear();
  pending_->piece.clear();
  reply.more([weak = std::weak_ptr(pending_)](std::string piece) {
    const auto pending = weak.lock();
    if (pending == nullptr) return;
    pending->piece = std::move(piece);
    pending->ready.set();
  });
  if (cut_) pending_->ready.set();
  // Who closes his side has had enough: the next piece may be long in coming.
  client_.watch_hangup(left_);
  co_await pending_->ready.wait();
  client_.unwatch_hangup();
  co_return std::move(pending_->piece);
}

uring::Task<> Connection::talk(Upgrade upgrade) {
  const std::string head = switch_head(upgrade.key, upgrade.feed.subprotocol);
  FeedTalk talk(server_.loop(), client_, std::move(upgrade.feed));
  client_.write(proto::as_bytes(std::string_view(head)));
  talk_ = &talk;
  talk.start();
  bool open = talk.take(proto::as_bytes(std::string_view(input_)));
  while (open) {
    const Bytes received = co_await client_.read_once(kReadBytes);
    open = !received.empty() && talk.take(received);
    client_.release();
  }
  talk_ = nullptr;
  co_await talk.stop();
}

// So that no reset destroys what the client has not read yet.
uring::Task<> Connection::farewell() {
  // Closed in order, a part would look like the whole.
  if (is_cut_short_ && client_.is_open()) client_.reset_on_close();
  if (!cut_ && !is_cut_short_ && client_.is_open() && client_.end() != uring::LinkEnd::kFailed) {
    client_.clear_abort();
    client_.drop_input();
    expect_within(kPatience);
    client_.write_end();
    co_await client_.drained();
    client_.forget_session();
    expect_within(kLingerTime);
    const std::uint64_t start = client_.received_bytes();
    bool lingers = true;
    while (lingers && client_.received_bytes() - start < kLingerBytes) {
      const Bytes dropped = co_await client_.read_once(kReadBytes);
      lingers = !dropped.empty();
    }
  }
  co_await client_.close();
}

}  // namespace gateway::admin
