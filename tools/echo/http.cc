// What plain HTTP requests get: the demo page, made-up bytes, echoes, digests.
#include <array>
#include <string>

#include "proto/digest.hh"
#include "tools/common/pattern.hh"
#include "tools/echo/handlers.hh"
#include "tools/echo/page.hh"

namespace echo {
namespace {

// Below so much room it is better to wait than to write little pieces.
constexpr std::size_t kWorthWriting = 16 * 1024;

std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

std::string pattern_digest(std::uint64_t size) {
  proto::Sha256 digest;
  for (std::uint64_t sent = 0; sent < size;) {
    const Bytes piece = tools::pattern_at(sent, size - sent);
    digest.update(piece);
    sent += piece.size();
  }
  return hex(digest.finish());
}

void write_piece(Link& link, Bytes piece, bool chunked) {
  if (!chunked) return link.write(piece);
  link.write(http::ChunkHeader(piece.size()).bytes());
  link.write(piece);
  link.write(proto::as_bytes(http::kChunkEnd));
}

class Digester final : public BodyTaker {
 public:
  void take(Bytes payload) override {
    digest_.update(payload);
    size_ += payload.size();
  }
  std::string json() {
    return "{\"bytes\":" + std::to_string(size_) + ",\"sha256\":\"" + hex(digest_.finish()) +
           "\"}\n";
  }

 private:
  proto::Sha256 digest_;
  std::uint64_t size_ = 0;
};

class Returner final : public BodyTaker {
 public:
  Returner(Link& link, bool chunked) : link_(link), chunked_(chunked) {}
  void take(Bytes payload) override { write_piece(link_, payload, chunked_); }

 private:
  Link& link_;
  bool chunked_;
};

}  // namespace

uring::Task<> serve_page(Exchange& exchange) {
  respond(exchange, 200, "text/html; charset=utf-8", kPage);
  co_return;
}

uring::Task<> serve_headers(Exchange& exchange) {
  respond(exchange, 200, "text/plain", proto::as_text(exchange.head_bytes));
  co_return;
}

uring::Task<> serve_bytes(Exchange& exchange) {
  const std::uint64_t size = exchange.query.number("n", 0);
  if (exchange.query.on("sha256")) {
    respond(exchange, 200, "text/plain", pattern_digest(size));
    co_return;
  }
  http::BodyFraming framing{http::Framing::kLength, size};
  if (exchange.query.on("chunked")) framing.kind = http::Framing::kChunked;
  if (exchange.query.on("close")) framing.kind = http::Framing::kUntilClose;
  write_head(exchange, 200, "application/octet-stream", framing);
  if (exchange.head.method == http::Method::kHead) co_return;

  const bool chunked = framing.kind == http::Framing::kChunked && exchange.head.minor_version > 0;
  Link& link = exchange.link;
  for (std::uint64_t sent = 0; sent < size && !link.send_failed();) {
    const std::size_t room = link.room();
    if (room < kWorthWriting) {
      co_await link.drained();
      continue;
    }
    const Bytes piece = tools::pattern_at(sent, std::min<std::uint64_t>(size - sent, room - 32));
    write_piece(link, piece, chunked);
    sent += piece.size();
  }
  if (chunked) link.write(proto::as_bytes(http::kLastChunk));
}

uring::Task<> serve_http_echo(Exchange& exchange) {
  ask_for_body(exchange);
  write_head(exchange, 200, "application/octet-stream", {http::Framing::kChunked});
  const bool chunked = exchange.head.minor_version > 0;
  Returner returner(exchange.link, chunked);
  // Each piece received gets a chunk header, so the pieces have to stay few.
  const BodyEnd end = co_await read_body(exchange, returner, uring::Socket::Arming::kOnce);
  // The response has begun: that it is not whole can only be shown by its missing end.
  if (end != BodyEnd::kWhole) exchange.keep_alive = false;
  if (end == BodyEnd::kWhole && chunked) exchange.link.write(proto::as_bytes(http::kLastChunk));
}

uring::Task<> serve_http_sink(Exchange& exchange) {
  ask_for_body(exchange);
  Digester digester;
  const BodyEnd end = co_await read_body(exchange, digester, uring::Socket::Arming::kStream);
  if (end != BodyEnd::kWhole) exchange.keep_alive = false;
  if (end == BodyEnd::kMalformed) refuse(exchange.link, 400, "malformed body");
  if (end == BodyEnd::kWhole) respond(exchange, 200, "application/json", digester.json());
}

}  // namespace echo
