// HTTP responses as no server should send them, for the tests of a proxy in front.
#include <algorithm>
#include <string>

#include "tools/common/pattern.hh"
#include "tools/echo/handlers.hh"

namespace echo {
namespace {

// Until the time is over.
class Pause {
 public:
  explicit Pause(uring::Loop& loop)
      : loop_(loop), over_(loop.ready()), timer_(*this, loop.timers()) {}

  uring::Task<> wait(std::chrono::milliseconds time) {
    over_.clear();
    timer_.arm(loop_.now() + time);
    co_await over_.wait();
  }

 private:
  void on_over() { over_.set(); }

  uring::Loop& loop_;
  uring::Event over_;
  uring::TimerMember<&Pause::on_over> timer_;
};

// A head that promises twice of what comes.
uring::Task<> send_half(Exchange& exchange, std::uint64_t size) {
  exchange.keep_alive = false;
  write_head(exchange, 200, "application/octet-stream", {http::Framing::kLength, 2 * size});
  for (std::uint64_t sent = 0; sent < size && !exchange.link.send_failed();) {
    const Bytes piece = tools::pattern_at(sent, std::min<std::uint64_t>(size - sent, 16 * 1024));
    exchange.link.write(piece);
    sent += piece.size();
    co_await exchange.link.drained();
  }
}

}  // namespace

uring::Task<> misbehave_cut(Exchange& exchange) {
  co_await send_half(exchange, std::max<std::uint64_t>(exchange.query.number("n", 100), 1));
}

uring::Task<> misbehave_reset(Exchange& exchange) {
  exchange.keep_alive = false;
  const std::uint64_t size = exchange.query.number("n", 0);
  if (size > 0) co_await send_half(exchange, size);
  exchange.link.reset_on_close();
  co_await exchange.link.close();
}

uring::Task<> misbehave_hang(Exchange& exchange) {
  exchange.keep_alive = false;
  co_await until_hangup(exchange);
}

uring::Task<> misbehave_slow_head(Exchange& exchange) {
  exchange.keep_alive = false;
  const std::chrono::milliseconds interval(exchange.query.number("interval_ms", 100));
  const std::string_view response =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nslow\n";
  Pause pause(exchange.loop);
  for (const char& c : response) {
    if (exchange.link.send_failed()) break;
    exchange.link.write(proto::as_bytes({&c, 1}));
    co_await pause.wait(interval);
  }
}

uring::Task<> misbehave_garbage(Exchange& exchange) {
  exchange.keep_alive = false;
  exchange.link.write(proto::as_bytes("\x16\x03\x01 this is no HTTP\r\n\r\n"));
  co_return;
}

}  // namespace echo
