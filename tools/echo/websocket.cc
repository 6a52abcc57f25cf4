// WebSockets that echo and discard.
#include "tools/echo/websocket.hh"

#include "proto/ws/handshake.hh"
#include "proto/ws/message_reader.hh"
#include "tools/echo/frame_echo.hh"
#include "tools/echo/handlers.hh"

namespace echo {

std::string accept_head(const Exchange& exchange, std::string_view accept) {
  const ws::Accept right = ws::accept_key(exchange.websocket_key);
  std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  head.append(accept.empty() ? ws::as_text(right) : accept).append("\r\n");
  const auto offered = exchange.head.fields.find(exchange.head_bytes, "Sec-WebSocket-Protocol");
  if (offered) {
    const auto first = http::ListReader(*offered).next();
    if (first && !first->empty()) {
      head.append("Sec-WebSocket-Protocol: ").append(*first).append("\r\n");
    }
  }
  return head + "\r\n";
}

uring::Task<> echo_frames(Exchange& exchange) {
  Link& link = exchange.link;
  FrameEcho frames;
  frames.take(exchange.take_behind_head(), link);
  while (!frames.over()) {
    const Bytes bytes = co_await link.read_for(link);
    if (bytes.empty()) break;
    frames.take(tools::writable(bytes), link);
  }
}

uring::Task<> discard_frames(Exchange& exchange, bool close_sent) {
  Link& link = exchange.link;
  ws::MessageReader messages(ws::Sender::kClient);
  MutableBytes bytes = exchange.take_behind_head();
  for (;;) {
    messages.feed(bytes);
    while (const auto event = messages.next()) {
      if (event->kind == ws::Event::Kind::kPing && !close_sent) {
        link.write(ws::make_pong(event->payload).bytes());
      }
    }
    if (messages.violation() || messages.close_seen()) break;
    bytes = tools::writable(co_await link.read_for(link));
    if (bytes.empty()) co_return;
  }
  if (close_sent) co_return;
  const std::uint16_t code =
      messages.violation() ? close_code(*messages.violation()) : messages.close_seen()->code;
  link.write(ws::make_close(code).bytes());
}

uring::Task<> serve_echo(Exchange& exchange) {
  exchange.link.write(proto::as_bytes(accept_head(exchange)));
  co_await echo_frames(exchange);
}

uring::Task<> serve_sink(Exchange& exchange) {
  exchange.link.write(proto::as_bytes(accept_head(exchange)));
  if (exchange.query.find("read") == "no") {
    co_await until_hangup(exchange);
  } else {
    co_await discard_frames(exchange, false);
  }
}

}  // namespace echo
