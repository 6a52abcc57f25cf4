// WebSocket handshakes and frames as no server should send them, or rarely does.
#include <string>

#include "proto/ws/close.hh"
#include "tools/echo/handlers.hh"
#include "tools/echo/websocket.hh"

namespace echo {
namespace {

using namespace std::string_view_literals;

struct InvalidFrame {
  std::string_view name;
  std::string_view bytes;
};

// RFC 6455 section 5: each breaks one rule.
constexpr InvalidFrame kInvalidFrames[] = {
    {"opcode", "\x83\x02hi"sv},                  // reserved
    {"rsv", "\xc1\x02hi"sv},                     // a bit that nothing was negotiated for
    {"masked", "\x81\x82\x01\x02\x03\x04ii"sv},  // by a server
    {"control", "\x09\x00"sv},                   // a ping without FIN
    {"long-control", "\x89\x7e\x00\x7e"sv},      // a ping of 126 bytes
    {"length", "\x82\x7e\x00\x02hi"sv},          // not the shortest form
    {"continuation", "\x80\x02hi"sv},            // of nothing
    {"close-code", "\x88\x02\x03\xed"sv},        // 1005 on the wire
    {"close-length", "\x88\x01\x03"sv},          // half a code
};

}  // namespace

uring::Task<> misbehave_bad_accept(Exchange& exchange) {
  exchange.link.write(proto::as_bytes(accept_head(exchange, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")));
  co_await discard_frames(exchange, true);
}

uring::Task<> misbehave_refuse(Exchange& exchange) {
  exchange.keep_alive = false;
  respond(exchange, 403, "text/plain", "refused: you may not come in\n");
  co_return;
}

uring::Task<> misbehave_early(Exchange& exchange) {
  const std::string head = accept_head(exchange) +
                           "\x81\x05"
                           "early"
                           "\x82\x04"
                           "bird";
  exchange.link.write(proto::as_bytes(head));
  co_await echo_frames(exchange);
}

uring::Task<> misbehave_close(Exchange& exchange) {
  exchange.link.write(proto::as_bytes(accept_head(exchange)));
  const std::uint64_t asked = exchange.query.number("code", ws::kCloseNormal);
  const auto code = static_cast<std::uint16_t>(asked);
  const bool valid = asked <= 0xffff && ws::is_valid_close_code(code);
  const std::string reason = exchange.query.text("reason");
  exchange.link.write(ws::make_close(valid ? code : ws::kCloseNoStatus, reason).bytes());
  co_await discard_frames(exchange, true);
}

uring::Task<> misbehave_half_close(Exchange& exchange) {
  exchange.link.write(proto::as_bytes(accept_head(exchange) + "\x81\x04"
                                                              "half"));
  exchange.link.write_end();
  co_await discard_frames(exchange, true);
}

uring::Task<> misbehave_violate(Exchange& exchange) {
  exchange.link.write(proto::as_bytes(accept_head(exchange)));
  const std::string kind = exchange.query.text("kind", kInvalidFrames[0].name);
  for (const InvalidFrame& frame : kInvalidFrames) {
    if (frame.name == kind) exchange.link.write(proto::as_bytes(frame.bytes));
  }
  co_await discard_frames(exchange, true);
}

}  // namespace echo
