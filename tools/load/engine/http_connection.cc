#include "tools/load/engine/http_connection.hh"

#include <algorithm>
#include <cstring>

#include "proto/http/field.hh"
#include "tools/common/pattern.hh"

namespace load {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kWorthWriting = 4 * 1024;

http::Method method_of(const Plan& plan) {
  return plan.request.method == "HEAD" ? http::Method::kHead : http::Method::kGet;
}

}  // namespace

std::string http_request(const Plan& plan, const Target& target) {
  const Request& request = plan.request;
  std::string text = request.method + " " + target.path +
                     " HTTP/1.1\r\nHost: " + (plan.host.empty() ? target.authority : plan.host) +
                     "\r\n";
  for (const auto& [name, value] : plan.headers) text += name + ": " + value + "\r\n";
  const bool has_body = request.body_bytes > 0 || request.method == "POST";
  if (has_body) text += "Content-Length: " + std::to_string(request.body_bytes) + "\r\n";
  text += "\r\n";
  for (std::uint64_t i = 0; i < request.body_bytes;) {
    const proto::Bytes piece = tools::pattern_at(i, request.body_bytes - i, true);
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    i += piece.size();
  }
  return text;
}

uring::Task<bool> HttpConnection::upgrade() {
  co_return true;
}

uring::Task<> HttpConnection::converse() {
  for (;;) {
    go_on();
    const proto::Bytes bytes = co_await link_.read_once(kReadBytes);
    if (bytes.empty()) break;
    take(bytes);
    if (broken_ || (last_answer_ && !body_)) break;
  }
  if (body_ && body_->complete_at_end_of_stream() && link_.end() == uring::LinkEnd::kEndOfStream) {
    end_answer();
  }
  if (last_answer_ || broken_ || closing_) co_return;
  // A server may end what is idle, in order.
  const bool in_order = link_.end() == uring::LinkEnd::kEndOfStream ||
                        link_.end() == uring::LinkEnd::kTruncated;
  if (window_.pending() == 0 && in_order && was_answered()) {
    successor.on = successor.on || shared_.plan.churn.per_second <= 0;
    co_return;
  }
  came_to_nothing = !was_answered();
  successor.on = successor.on || (in_order && shared_.plan.churn.per_second <= 0);
  fail("connection ended by the peer", how_it_ended() + ": " + target_.target.text);
}

void HttpConnection::take(proto::Bytes bytes) {
  while (!bytes.empty() && !broken_) {
    const std::size_t taken = body_ ? take_body(bytes) : take_head(bytes);
    bytes = bytes.subspan(taken);
  }
}

// Gives how many of the bytes belong to the head, or all where it is not whole yet.
std::size_t HttpConnection::take_head(proto::Bytes bytes) {
  const std::size_t before = head_.size();
  if (window_.pending() == 0 && before == 0) {
    ++tally().counts.unexpected;
    break_off("an answer that nobody asked for");
    return bytes.size();
  }
  proto::Bytes all = bytes;
  if (before > 0) {
    head_.resize(before + bytes.size());
    std::memcpy(head_.data() + before, bytes.data(), bytes.size());
    all = head_;
  }
  http::ResponseHead& head = shared_.answer;
  const auto state = http::ResponseParser(head).parse(all);
  if (!state) {
    break_off("answer: " + std::string(state.error().reason));
    return bytes.size();
  }
  if (*state != http::HeadState::kComplete) {
    if (before == 0) head_.assign(bytes.begin(), bytes.end());
    return bytes.size();
  }
  const std::size_t taken = head.bytes - before;
  if (head.status >= 200) {
    status_ = head.status;
    const http::BodyFraming framing = http::response_framing(method_of(shared_.plan), head);
    last_answer_ = !http::keeps_alive(head) || framing.kind == http::Framing::kUntilClose;
    body_.emplace(framing);
    body_bytes_ = 0;
    if (body_->done()) end_answer();
  }
  head_.clear();
  return taken;
}

std::size_t HttpConnection::take_body(proto::Bytes bytes) {
  const auto piece = body_->next(bytes);
  if (!piece) {
    break_off("answer: a body that cannot be read");
    return bytes.size();
  }
  body_bytes_ += piece->payload.size();
  if (body_->done()) end_answer();
  return piece->consumed;
}

void HttpConnection::end_answer() {
  body_.reset();
  ++tally().statuses[std::min<std::size_t>(status_, Tally::kStatuses - 1)];
  note(window_.answer_oldest(), body_bytes_);
  if (status_ < 200 || status_ >= 400) {
    tally().add_error("status " + std::to_string(status_), target_.target.text);
  }
  if (closing_) end_if_idle();
  // What was asked for behind it gets no answer; the next connection does.
  if (last_answer_) give_way();
}

void HttpConnection::break_off(std::string_view kind) {
  fail(kind);
  broken_ = true;
}

// Closed while it answers, a server may throw away what it has sent already: it ends when all that
// was asked for has come.
void HttpConnection::say_goodbye() {
  end_if_idle();
}

void HttpConnection::end_if_idle() {
  if (window_.pending() == 0 && written_ == 0) link_.write_end();
}

bool HttpConnection::write_due() {
  const proto::Bytes request = proto::as_bytes(target_.request);
  while (written_ > 0 || may_send()) {
    const std::size_t room = link_.room();
    if (room < std::min(kWorthWriting, request.size())) return false;
    if (written_ == 0) take_due(shared_.plan.request.body_bytes);
    const std::size_t size = std::min(request.size() - written_, room);
    link_.write(request.subspan(written_, size));
    written_ += size;
    if (written_ == request.size()) written_ = 0;
  }
  if (closing_) end_if_idle();
  return true;
}

}  // namespace load
