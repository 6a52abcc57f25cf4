#include "gateway/upstream/health_probe.hh"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "proto/http/body.hh"
#include "proto/proxy/writer.hh"
#include "proto/ws/frame.hh"
#include "proto/ws/handshake.hh"

namespace gateway {
namespace {

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

std::string text_of_error(int error) {
  const char* const text = strerrordesc_np(error);
  return text != nullptr ? text : fmt::format("error {}", error);
}

ws::HandshakeFields fields_of(const http::Head& head, Bytes buffer) {
  ws::HandshakeFields fields;
  for (const http::Field& field : head.fields.all()) {
    fields.add(field.name.in(buffer), field.value.in(buffer));
  }
  return fields;
}

}  // namespace

HealthProbe::HealthProbe(uring::LinkResources& links, const Question& question)
    : links_(links), question_(question), link_(links) {}

uring::Task<> HealthProbe::run() {
  const bool passed = co_await converse();
  if (passed) verdict_ = Verdict::kPassed;
  if (link_.is_open() && link_.end() == uring::LinkEnd::kNone) {
    link_.write_end(Link::Ending::kWhole);
    co_await link_.drained();
  }
  co_await link_.close();
}

uring::Task<bool> HealthProbe::converse() {
  const bool connected = co_await connect();
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

uring::Task<bool> HealthProbe::connect() {
  const config::Address& address = question_.address;
  const int error =
      co_await link_.connect(address.get(), address.length, question_.tcp, question_.source);
  if (error != 0) {
    if (is_shortage(error)) verdict_ = Verdict::kUnknown;
    co_return fail(error == ECANCELED ? "no connection in time" : text_of_error(error));
  }
  if (question_.proxy_header != proxy::Version::kNone) {
    // It is nobody's connection but the gateway's own.
    std::string header;
    proxy::write_local(header, question_.proxy_header);
    link_.write(std::as_bytes(std::span(header)));
  }
  const bool plain = question_.tls == nullptr || question_.check.type == config::CheckType::tcp;
  if (plain) co_return true;
  link_.secure(std::make_unique<tls::Session>(*question_.tls, question_.server_name));
  link_.start_handshake();
  const bool done = co_await link_.handshake();
  if (done && link_.has_behind_handshake()) co_return fail("the server spoke before it was asked");
  if (done) co_return true;
  if (link_.end() == uring::LinkEnd::kTlsFailed) {
    co_return fail("TLS failed: " + link_.session()->error().text());
  }
  co_return fail_by_link("the TLS handshake");
}

void HealthProbe::write_request(std::string_view method, std::string_view more) {
  const config::HealthCheck& check = question_.check;
  const std::string& host = check.host.empty() ? question_.host : check.host;
  const std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: gateway-health\r\n{}\r\n", method,
                  check.path, host, more);
  link_.write(std::as_bytes(std::span(request)));
}

uring::Task<bool> HealthProbe::ask_http() {
  const bool head = question_.check.head;
  write_request(head ? "HEAD" : "GET", "Accept: */*\r\nConnection: close\r\n");
  const bool received = co_await receive_head();
  if (!received) co_return false;
  if (contains(question_.drain_on, head_.status)) {
    verdict_ = Verdict::kLeaves;
    co_return fail(fmt::format("status {}", head_.status));
  }
  if (!contains(question_.check.status, head_.status)) {
    co_return fail(fmt::format("status {}", head_.status));
  }
  if (question_.check.body.empty()) co_return true;
  const bool passed = co_await check_body();
  co_return passed;
}

// The final one: `answer_` is what came behind it.
uring::Task<bool> HealthProbe::receive_head() {
  bool is_final = false;
  while (!is_final) {
    http::ResponseParser parser(head_, {.head_bytes = kHeadBytesMax, .fields = 128});
    for (;;) {
      const auto state = parser.parse(std::as_bytes(std::span(answer_)));
      if (!state) co_return fail(std::string(state.error().reason));
      if (*state == http::HeadState::kComplete) break;
      const bool more = co_await receive_more();
      if (!more) co_return fail_by_link("a whole answer");
    }
    is_final = head_.status >= 200 || head_.status == 101;
    // Of the final head the fields are still to be read.
    if (!is_final) answer_.erase(0, head_.bytes);
  }
  co_return true;
}

uring::Task<bool> HealthProbe::check_body() {
  const std::string& wanted = question_.check.body;
  http::BodyDecoder decoder(http::response_framing(http::Method::kGet, head_),
                            http::ChunkedDecoder::Blanks::kBehindSizes);
  answer_.erase(0, head_.bytes);
  std::string body;
  for (;;) {
    Bytes rest = std::as_bytes(std::span(answer_));
    while (!rest.empty() && !decoder.done() && body.size() < wanted.size()) {
      const auto piece = decoder.next(rest);
      if (!piece) co_return fail("a broken body");
      body += proto::as_text(piece->payload).substr(0, wanted.size() - body.size());
      rest = rest.subspan(piece->consumed);
    }
    answer_.clear();
    if (!wanted.starts_with(body)) co_return fail("the body begins with something else");
    if (body.size() == wanted.size()) co_return true;
    if (decoder.done()) co_return fail("the body is too short");
    const bool more = co_await receive_more();
    if (!more) co_return fail_by_link("as much of a body");
  }
}

uring::Task<bool> HealthProbe::ask_websocket() {
  std::array<std::byte, 16> random;
  links_.loop.kernel().fill_random(random);
  const ws::Key key = ws::make_key(random);
  write_request("GET", fmt::format("Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n",
                                   ws::as_text(key)));
  const bool received = co_await receive_head();
  if (!received) co_return false;
  if (contains(question_.drain_on, head_.status)) verdict_ = Verdict::kLeaves;
  if (head_.status != 101) co_return fail(fmt::format("status {}", head_.status));
  const auto agreed = ws::judge_response(
      head_.status, fields_of(head_, std::as_bytes(std::span(answer_))), {}, ws::as_text(key));
  if (!agreed) co_return fail(std::string(agreed.error()));
  answer_.erase(0, head_.bytes);
  if (question_.check.echo.empty()) co_return true;
  const bool passed = co_await check_echo();
  co_return passed;
}

uring::Task<bool> HealthProbe::check_echo() {
  std::string text = question_.check.echo;
  ws::FrameHeader header{.opcode = ws::Opcode::kText, .masked = true, .payload_bytes = text.size()};
  links_.loop.kernel().fill_random(header.mask_key);
  ws::apply_mask(std::as_writable_bytes(std::span(text)), header.mask_key);
  link_.write(ws::encode_header(header).bytes());
  link_.write(std::as_bytes(std::span(text)));
  for (;;) {
    const Echo echo = look_for_echo();
    if (echo == Echo::kCame) co_return true;
    if (echo == Echo::kBroken) co_return false;
    const bool more = co_await receive_more();
    if (!more) co_return fail_by_link("the echo");
  }
}

// Other messages may come before it.
HealthProbe::Echo HealthProbe::look_for_echo() {
  for (;;) {
    const Bytes rest = std::as_bytes(std::span(answer_));
    const ws::ParsedHeader parsed =
        ws::parse_header(rest, {.sender = ws::Sender::kServer, .message_open = message_open_});
    using State = ws::HeaderCheck::State;
    if (parsed.state == State::kIncomplete) return Echo::kMore;
    const bool violates = parsed.state == State::kViolation;
    if (violates || parsed.header.opcode == ws::Opcode::kClose) {
      fail(violates ? std::string(ws::describe(parsed.violation)) : "closed before the echo");
      return Echo::kBroken;
    }
    const std::uint64_t payload = parsed.header.payload_bytes;
    if (payload > kAnswerBytesMax) {
      fail("a frame that is too long");
      return Echo::kBroken;
    }
    if (rest.size() < parsed.header_bytes + payload) return Echo::kMore;
    if (!parsed.header.is_control()) {
      echo_.append(answer_, parsed.header_bytes, payload);
      message_open_ = !parsed.header.fin;
      if (parsed.header.fin && std::exchange(echo_, {}) == question_.check.echo) return Echo::kCame;
    }
    answer_.erase(0, parsed.header_bytes + payload);
  }
}

// False: there is no more, or too much.
uring::Task<bool> HealthProbe::receive_more() {
  if (answer_bytes_ >= kAnswerBytesMax) co_return fail("too long an answer");
  const Bytes received = co_await link_.read_once(kReadBytes);
  if (received.empty()) co_return false;
  answer_.append(proto::as_text(received));
  answer_bytes_ += received.size();
  link_.release();
  co_return true;
}

// The first cause stays.
bool HealthProbe::fail(std::string cause) {
  if (cause_.empty()) cause_ = std::move(cause);
  return false;
}

bool HealthProbe::fail_by_link(std::string_view what) {
  using uring::LinkEnd;
  if (link_.end() == LinkEnd::kAborted) return fail(fmt::format("not {} in time", what));
  if (link_.end() == LinkEnd::kFailed) return fail(text_of_error(link_.error_number()));
  return fail(fmt::format("the server closed before {}", what));
}

}  // namespace gateway
