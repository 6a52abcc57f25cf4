#include "gateway/tracing/collector_call.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gateway/tracing/partial_success.hh"
#include "gateway/version.hh"
#include "proto/http/body.hh"

namespace gateway::tracing {
namespace {

constexpr std::chrono::seconds kRetryAfterMax{60};

bool may_be_tried_again(std::uint16_t status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// Of RFC 9110 section 10.2.3 only seconds: 0 else.
std::chrono::seconds seconds_from(std::string_view text) {
  unsigned seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc{} || rest != end) return std::chrono::seconds(0);
  return std::min(std::chrono::seconds(seconds), kRetryAfterMax);
}

}  // namespace

uring::Task<> CollectorCall::run(const ServerCall::Target& target,
                                 const config::TracingSettings& settings, std::string_view body) {
  co_await converse(target, settings, body);
  co_await call_.close();
}

uring::Task<> CollectorCall::converse(const ServerCall::Target& target,
                                      const config::TracingSettings& settings,
                                      std::string_view body) {
  const bool connected = co_await call_.connect(target);
  if (!connected) {
    cause_ = call_.cause();
    co_return;
  }
  call_.write(
      fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: gateway/{}\r\n"
                  "Content-Type: application/json\r\nContent-Length: {}\r\n"
                  "Connection: close\r\n{}\r\n",
                  settings.path, settings.host, kVersion, body.size(), settings.header_lines));
  co_await call_.write_all(body);
  const bool answered = co_await call_.receive_head();
  outcome_ = Outcome::kBusy;
  cause_ = call_.cause();
  if (!answered) co_return;
  judge(call_.head().status);
  if (outcome_ == Outcome::kTaken) co_await look_at_body();
}

void CollectorCall::judge(std::uint16_t status) {
  if (status >= 200 && status < 300) {
    outcome_ = Outcome::kTaken;
    return;
  }
  outcome_ = may_be_tried_again(status) ? Outcome::kBusy : Outcome::kRefused;
  cause_ = fmt::format("status {}", status);
  call_.head().fields.for_each(
      std::as_bytes(std::span(call_.answer())), "Retry-After",
      [this](std::string_view value) { retry_after_ = seconds_from(value); });
}

// It says where only a part was taken. Whatever becomes of it, the spans were taken.
uring::Task<> CollectorCall::look_at_body() {
  http::BodyDecoder decoder(http::response_framing(http::Method::kPost, call_.head()),
                            http::ChunkedDecoder::Blanks::kBehindSizes);
  call_.drop_head();
  std::string body;
  while (!decoder.done()) {
    Bytes rest = std::as_bytes(std::span(call_.answer()));
    while (!rest.empty() && !decoder.done()) {
      const auto piece = decoder.next(rest);
      if (!piece) co_return;
      body += proto::as_text(piece->payload);
      rest = rest.subspan(piece->consumed);
    }
    call_.answer().clear();
    if (decoder.done()) break;
    const bool more = co_await call_.receive_more();
    if (!more) break;
  }
  if (!decoder.complete_at_end_of_stream()) co_return;
  const PartialSuccess partial = partial_success_from(body);
  rejected_ = partial.rejected;
  cause_ = partial.message;
}

}  // namespace gateway::tracing
