#include "tools/echo/routes.hh"

#include "tools/echo/handlers.hh"

namespace echo {
namespace {

struct Route {
  std::string_view path;
  Handler http;       // null: 426
  Handler websocket;  // null: served as if no upgrade had been asked for
};

constexpr Route kRoutes[] = {
    {"/", serve_page, nullptr},
    {"/echo", serve_http_echo, serve_echo},
    {"/sink", serve_http_sink, serve_sink},
    {"/push", nullptr, serve_push},
    {"/bytes", serve_bytes, nullptr},
    {"/headers", serve_headers, nullptr},
    {"/misbehave/cut", misbehave_cut, nullptr},
    {"/misbehave/reset", misbehave_reset, nullptr},
    {"/misbehave/hang", misbehave_hang, nullptr},
    {"/misbehave/slow-head", misbehave_slow_head, nullptr},
    {"/misbehave/garbage", misbehave_garbage, nullptr},
    {"/misbehave/bad-accept", nullptr, misbehave_bad_accept},
    {"/misbehave/refuse", misbehave_refuse, misbehave_refuse},
    {"/misbehave/early", nullptr, misbehave_early},
    {"/misbehave/close", nullptr, misbehave_close},
    {"/misbehave/half-close", nullptr, misbehave_half_close},
    {"/misbehave/violate", nullptr, misbehave_violate},
};

uring::Task<> not_found(Exchange& exchange) {
  exchange.keep_alive = false;
  respond(exchange, 404, "text/plain", "nothing here; gateway-echo --help names the paths\n");
  co_return;
}

uring::Task<> upgrade_required(Exchange& exchange) {
  constexpr std::string_view kBody = "this path is a WebSocket\n";
  exchange.keep_alive = false;
  write_head(exchange, 426, "text/plain", {http::Framing::kLength, kBody.size()},
             "Upgrade: websocket\r\n");
  exchange.link.write(proto::as_bytes(kBody));
  co_return;
}

}  // namespace

Handler handler_of(const Exchange& exchange) {
  for (const Route& route : kRoutes) {
    if (route.path != exchange.path()) continue;
    if (exchange.is_websocket() && route.websocket != nullptr) return route.websocket;
    return route.http != nullptr ? route.http : upgrade_required;
  }
  return not_found;
}

const char* const kRoutesHelp = R"(
Paths (W: as a WebSocket, H: as plain HTTP):
  /                      H  a page to try /echo in a browser
  /echo                  W  echoes frames as they come, chooses the first subprotocol offered
                         H  sends the request's body back while it comes, chunked
  /push?rate=&size=&burst=&count=&mark=
                         W  binary messages of `size` bytes (64), `rate` a second (0: as fast as
                            they are taken), `burst` at a time (1), `count` of them (no end). The
                            first 8 bytes are the message's number, big-endian, from 0. With
                            mark=1 the first 24 are gateway-load's mark (--sent-at mark): 0, the
                            number, and when it was sent in ns of CLOCK_MONOTONIC, little-endian.
  /sink                  W  reads and discards; with ?read=no it never reads
                         H  takes a body, answers {"bytes":N,"sha256":"..."}
  /bytes?n=              H  n bytes; &chunked=1 chunked, &close=1 until close; with &sha256=1 only
                            their SHA-256 in hex. Byte i is bits 56 to 63 of
                            ((i mod 65521) + 1) * 0x9E3779B97F4A7C15.
  /headers               H  the request's head as it was received
  /misbehave/cut?n=      H  promises 2n bytes, sends n, closes
  /misbehave/reset?n=    H  resets the connection; with n after the half of 2n bytes
  /misbehave/hang        H  never answers
  /misbehave/slow-head?interval_ms=
                         H  sends the response byte by byte
  /misbehave/garbage     H  answers with what is no HTTP
  /misbehave/bad-accept  W  101 with a wrong Sec-WebSocket-Accept
  /misbehave/refuse      W  403 with a body
  /misbehave/early       W  101 with two messages in the same segment, then echoes
  /misbehave/close?code=&reason=
                         W  closes at once; a code that may not be sent: without one
  /misbehave/half-close  W  a message, then FIN without a close frame; goes on reading
  /misbehave/violate?kind=
                         W  an invalid frame: opcode, rsv, masked, control, long-control, length,
                            continuation, close-code, close-length
)";

}  // namespace echo
