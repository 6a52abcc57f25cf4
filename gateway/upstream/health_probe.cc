#include "gateway/upstream/health_probe.hh"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "proto/http/body.hh"
#include "proto/ws/frame.hh"
#include "proto/ws/handshake.hh"

namespace gateway {
namespace {

ws::HandshakeFields fields_of(const http::Head& head, Bytes buffer) {
  ws::HandshakeFields fields;
  for (const http::Field& field : head.fields.all()) {
    fields.add(field.name.in(buffer), field.value.in(buffer));
  }
  return fields;
}

}  // namespace

HealthProbe::HealthProbe(uring::LinkResources& links, const Question& question)
    : links_(links), question_(question), call_(links) {}

uring::Task<> HealthProbe::run() {
  const bool passed = co_await converse();
  if (passed) verdict_ = Verdict::kPassed;
  co_await call_.close();
}

uring::Task<bool> HealthProbe::converse() {
  const bool plain = question_.check.type == config::CheckType::tcp;
  const config::Address& address = question_.address;
  const ServerCall::Target target{.address = address.get(),
                                  .address_bytes = address.length,
                                  .tcp = question_.tcp,
                                  .source = question_.source,
                                  .tls = plain ? nullptr : question_.tls,
                                  .server_name = question_.server_name,
                                  .proxy_header = question_.proxy_header};
  const bool connected = co_await call_.connect(target);
  if (call_.is_shortage()) verdict_ = Verdict::kUnknown;
  if (!connected) co_return false;
  if (question_.check.type == config::CheckType::http) {
    const bool passed = co_await ask_http();
    co_return passed;
  }
  if (question_.check.type == config::CheckType::websocket) {
    const bool passed = co_await ask_websocket();
    co_return passed;
  }
  co_return true;
}

void HealthProbe::write_request(std::string_view method, std::string_view more) {
  const config::HealthCheck& check = question_.check;
  const std::string& host = check.host.empty() ? question_.host : check.host;
  const std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: gateway-health\r\n{}\r\n", method,
                  check.path, host, more);
  call_.write(request);
}

uring::Task<bool> HealthProbe::ask_http() {
  const bool head = question_.check.head;
  write_request(head ? "HEAD" : "GET", "Accept: */*\r\nConnection: close\r\n");
  const bool received = co_await call_.receive_head();
  if (!received) co_return false;
  if (contains(question_.drain_on, call_.head().status)) {
    verdict_ = Verdict::kLeaves;
    co_return call_.fail(fmt::format("status {}", call_.head().status));
  }
  if (!contains(question_.check.status, call_.head().status)) {
    co_return call_.fail(fmt::format("status {}", call_.head().status));
  }
  if (question_.check.body.empty()) co_return true;
  const bool passed = co_await check_body();
  co_return passed;
}

uring::Task<bool> HealthProbe::check_body() {
  const std::string& wanted = question_.check.body;
  http::BodyDecoder decoder(http::response_framing(http::Method::kGet, call_.head()),
                            http::ChunkedDecoder::Blanks::kBehindSizes);
  call_.drop_head();
  std::string body;
  for (;;) {
    Bytes rest = std::as_bytes(std::span(call_.answer()));
    while (!rest.empty() && !decoder.done() && body.size() < wanted.size()) {
      const auto piece = decoder.next(rest);
      if (!piece) co_return call_.fail("a broken body");
      body += proto::as_text(piece->payload).substr(0, wanted.size() - body.size());
      rest = rest.subspan(piece->consumed);
    }
    call_.answer().clear();
    if (!wanted.starts_with(body)) co_return call_.fail("the body begins with something else");
    if (body.size() == wanted.size()) co_return true;
    if (decoder.done()) co_return call_.fail("the body is too short");
    const bool more = co_await call_.receive_more();
    if (!more) co_return call_.fail_by_link("as much of a body");
  }
}

uring::Task<bool> HealthProbe::ask_websocket() {
  std::array<std::byte, 16> random;
  links_.loop.kernel().fill_random(random);
  const ws::Key key = ws::make_key(random);
  write_request("GET", fmt::format("Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n",
                                   ws::as_text(key)));
  const bool received = co_await call_.receive_head();
  if (!received) co_return false;
  if (contains(question_.drain_on, call_.head().status)) verdict_ = Verdict::kLeaves;
  if (call_.head().status != 101)
    co_return call_.fail(fmt::format("status {}", call_.head().status));
  const auto agreed = ws::judge_response(
      call_.head().status, fields_of(call_.head(), std::as_bytes(std::span(call_.answer()))), {},
      ws::as_text(key));
  if (!agreed) co_return call_.fail(std::string(agreed.error()));
  call_.drop_head();
  if (question_.check.echo.empty()) co_return true;
  const bool passed = co_await check_echo();
  co_return passed;
}

uring::Task<bool> HealthProbe::check_echo() {
  std::string text = question_.check.echo;
  ws::FrameHeader header{.opcode = ws::Opcode::kText, .masked = true, .payload_bytes = text.size()};
  links_.loop.kernel().fill_random(header.mask_key);
  ws::apply_mask(std::as_writable_bytes(std::span(text)), header.mask_key);
  call_.write(proto::as_text(ws::encode_header(header).bytes()));
  call_.write(text);
  for (;;) {
    const Echo echo = look_for_echo();
    if (echo == Echo::kCame) co_return true;
    if (echo == Echo::kBroken) co_return false;
    const bool more = co_await call_.receive_more();
    if (!more) co_return call_.fail_by_link("the echo");
  }
}

// Other messages may come before it.
HealthProbe::Echo HealthProbe::look_for_echo() {
  for (;;) {
    const Bytes rest = std::as_bytes(std::span(call_.answer()));
    const ws::ParsedHeader parsed =
        ws::parse_header(rest, {.sender = ws::Sender::kServer, .message_open = message_open_});
    using State = ws::HeaderCheck::State;
    if (parsed.state == State::kIncomplete) return Echo::kMore;
    const bool violates = parsed.state == State::kViolation;
    if (violates || parsed.header.opcode == ws::Opcode::kClose) {
      call_.fail(violates ? std::string(ws::describe(parsed.violation)) : "closed before the echo");
      return Echo::kBroken;
    }
    const std::uint64_t payload = parsed.header.payload_bytes;
    if (payload > ServerCall::kAnswerBytesMax) {
      call_.fail("a frame that is too long");
      return Echo::kBroken;
    }
    if (rest.size() < parsed.header_bytes + payload) return Echo::kMore;
    if (!parsed.header.is_control()) {
      echo_.append(call_.answer(), parsed.header_bytes, payload);
      message_open_ = !parsed.header.fin;
      if (parsed.header.fin && std::exchange(echo_, {}) == question_.check.echo) return Echo::kCame;
    }
    call_.answer().erase(0, parsed.header_bytes + payload);
  }
}

}  // namespace gateway
