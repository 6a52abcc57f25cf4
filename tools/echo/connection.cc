#include "tools/echo/connection.hh"

#include "proto/ws/handshake.hh"
#include "tools/echo/routes.hh"

namespace echo {
namespace {

constexpr std::size_t kHeadReadBytes = 4096;
// The last words of a connection are lost if it is closed while bytes of the peer are unread.
constexpr std::chrono::seconds kFarewellMax{2};
constexpr std::uint64_t kFarewellBytesMax = 256 * 1024;

ws::RequestVerdict judge(const http::RequestHead& head, Bytes head_bytes) {
  ws::HandshakeFields fields;
  for (const http::Field& field : head.fields.all()) {
    fields.add(field.name.in(head_bytes), field.value.in(head_bytes));
  }
  return ws::judge_request(head.method_text.in(head_bytes), head.minor_version >= 1, fields);
}

}  // namespace

Connection::Connection(tools::Runtime& runtime, ConnectionOwner& owner, int descriptor)
    : loop_(runtime.loop()),
      owner_(owner),
      link_(runtime.links()),
      farewell_limit_(*this, loop_.timers()),
      story_(run()) {
  link_.adopt(descriptor);
}

uring::Task<> Connection::run() {
  for (bool another = true; another;) {
    another = co_await read_head();
    if (another) another = co_await answer();
    if (another) co_await link_.drained();
  }
  co_await farewell();
  // In the next turn, when nothing of this one can be due for the link any more.
  loop_.push_next_turn(over_);
}

uring::Task<bool> Connection::read_head() {
  http::RequestParser parser(head_);
  for (;;) {
    const auto state = parser.parse(received_);
    if (!state) {
      refuse(link_, state.error().status, state.error().reason);
      co_return false;
    }
    if (*state == http::HeadState::kComplete) co_return true;
    const Bytes bytes = co_await link_.read_once(kHeadReadBytes);
    if (bytes.empty()) co_return false;
    received_.insert(received_.end(), bytes.begin(), bytes.end());
  }
}

// Gives whether another request may follow.
uring::Task<bool> Connection::answer() {
  const MutableBytes received(received_);
  const Bytes head_bytes = received.first(head_.bytes);
  Exchange exchange{.link = link_,
                    .loop = loop_,
                    .head = head_,
                    .head_bytes = head_bytes,
                    .behind_head = received.subspan(head_.bytes),
                    .query = Query(head_.query.in(head_bytes)),
                    .websocket_key = {}};
  const ws::RequestVerdict verdict = judge(head_, head_bytes);
  if (verdict.kind == ws::RequestVerdict::Kind::kRefuse) {
    write_head(exchange, static_cast<std::uint16_t>(verdict.status), "text/plain",
               {http::Framing::kLength, verdict.reason.size()}, "Sec-WebSocket-Version: 13\r\n");
    link_.write(proto::as_bytes(verdict.reason));
    co_return false;
  }
  exchange.websocket_key = verdict.key;
  exchange.keep_alive = !exchange.is_websocket() && http::keeps_alive(head_);
  const http::BodyFraming framing = http::request_framing(head_);
  const bool has_body = framing.kind == http::Framing::kChunked || framing.length > 0;
  if (!has_body) {
    exchange.next_head.assign(exchange.behind_head.begin(), exchange.behind_head.end());
  }
  co_await handler_of(exchange)(exchange);
  received_ = std::move(exchange.next_head);
  co_return exchange.keep_alive;
}

uring::Task<> Connection::farewell() {
  farewell_limit_.arm(loop_.now() + kFarewellMax);
  link_.write_end();
  co_await link_.drained();
  const std::uint64_t limit = link_.received_bytes() + kFarewellBytesMax;
  while (link_.received_bytes() < limit) {
    const Bytes bytes = co_await link_.read_once(kHeadReadBytes);
    if (bytes.empty()) break;
  }
  farewell_limit_.disarm();
  co_await link_.close();
}

}  // namespace echo
