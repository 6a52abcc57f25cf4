#include "tools/echo/exchange.hh"

#include <string>

#include "proto/http/status.hh"

namespace echo {
namespace {

class Hangup {
 public:
  explicit Hangup(Exchange& exchange) : link_(exchange.link), left_(exchange.loop.ready()) {
    link_.watch_hangup(ready_);
  }
  ~Hangup() { link_.unwatch_hangup(); }
  uring::Event& event() { return left_; }

 private:
  void on_left() { left_.set(); }

  Link& link_;
  uring::Event left_;
  uring::ReadyMember<&Hangup::on_left> ready_{*this};
};

std::string status_line(std::uint16_t status) {
  return "HTTP/1.1 " + std::to_string(status) + " " + std::string(http::status_reason(status)) +
         "\r\n";
}

}  // namespace

void write_head(Exchange& exchange, std::uint16_t status, std::string_view type,
                http::BodyFraming framing, std::string_view more) {
  std::string head = status_line(status);
  head.append("Content-Type: ").append(type).append("\r\n");
  switch (framing.kind) {
    case http::Framing::kNone:
      break;
    case http::Framing::kLength:
      head += "Content-Length: " + std::to_string(framing.length) + "\r\n";
      break;
    case http::Framing::kChunked:
      if (exchange.head.minor_version == 0) {
        exchange.keep_alive = false;
      } else {
        head += "Transfer-Encoding: chunked\r\n";
      }
      break;
    case http::Framing::kUntilClose:
      exchange.keep_alive = false;
  }
  head.append(more);
  head += exchange.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  exchange.link.write(proto::as_bytes(head));
}

void respond(Exchange& exchange, std::uint16_t status, std::string_view type,
             std::string_view body) {
  write_head(exchange, status, type, {http::Framing::kLength, body.size()});
  if (exchange.head.method != http::Method::kHead) exchange.link.write(proto::as_bytes(body));
}

void refuse(Link& link, std::uint16_t status, std::string_view reason) {
  const std::string body = std::string(reason) + "\n";
  const std::string response =
      status_line(status) +
      "Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\nConnection: close\r\n\r\n" + body;
  link.write(proto::as_bytes(response));
}

void ask_for_body(Exchange& exchange) {
  const auto expected = exchange.head.fields.find(exchange.head_bytes, "Expect");
  if (expected && http::equals_ignoring_case(*expected, "100-continue") &&
      exchange.behind_head.empty() && exchange.head.minor_version >= 1) {
    exchange.link.write(proto::as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
  }
}

uring::Task<BodyEnd> read_body(Exchange& exchange, BodyTaker& taker, uring::Socket::Arming arming) {
  http::BodyDecoder body(http::request_framing(exchange.head));
  MutableBytes bytes = exchange.take_behind_head();
  while (!body.done()) {
    if (bytes.empty()) {
      bytes = tools::writable(co_await exchange.link.read_for(exchange.link, arming));
      if (bytes.empty()) co_return BodyEnd::kCut;
    }
    while (!bytes.empty() && !body.done()) {
      const auto piece = body.next(bytes);
      if (!piece) co_return BodyEnd::kMalformed;
      bytes = bytes.subspan(piece->consumed);
      if (!piece->payload.empty()) taker.take(piece->payload);
    }
  }
  exchange.next_head.assign(bytes.begin(), bytes.end());
  co_return BodyEnd::kWhole;
}

uring::Task<> until_hangup(Exchange& exchange) {
  Hangup hangup(exchange);
  co_await hangup.event().wait();
}

}  // namespace echo
