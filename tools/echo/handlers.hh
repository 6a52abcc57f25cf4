// The handlers, by file: http.cc, websocket.cc, push.cc, misbehave_http.cc, misbehave_websocket.cc.
#pragma once

#include "tools/echo/exchange.hh"

namespace echo {

uring::Task<> serve_page(Exchange& exchange);
uring::Task<> serve_headers(Exchange& exchange);
uring::Task<> serve_bytes(Exchange& exchange);
uring::Task<> serve_http_echo(Exchange& exchange);
uring::Task<> serve_http_sink(Exchange& exchange);

uring::Task<> serve_echo(Exchange& exchange);
uring::Task<> serve_sink(Exchange& exchange);
uring::Task<> serve_push(Exchange& exchange);

// On their way to the peer's end of the connection: each says in routes.cc what it does wrong.
uring::Task<> misbehave_cut(Exchange& exchange);
uring::Task<> misbehave_reset(Exchange& exchange);
uring::Task<> misbehave_hang(Exchange& exchange);
uring::Task<> misbehave_slow_head(Exchange& exchange);
uring::Task<> misbehave_garbage(Exchange& exchange);
uring::Task<> misbehave_bad_accept(Exchange& exchange);
uring::Task<> misbehave_refuse(Exchange& exchange);
uring::Task<> misbehave_early(Exchange& exchange);
uring::Task<> misbehave_close(Exchange& exchange);
uring::Task<> misbehave_half_close(Exchange& exchange);
uring::Task<> misbehave_violate(Exchange& exchange);

}  // namespace echo
