#include "proto/http/response.hh"

#include <algorithm>

#include "proto/http/syntax.hh"

namespace http {
namespace {

constexpr std::string_view kVersionBegin = "HTTP/1.";
constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "
constexpr std::size_t kStatusEnd = 12;

std::unexpected<HeadError> refuse(std::string_view reason) {
  return std::unexpected(HeadError{502, reason, {}});
}

}  // namespace

void ResponseHead::reset() {
  Head::reset();
  status = 0;
  reason = {};
}

ResponseParser::ResponseParser(ResponseHead& head, HeadLimits limits)
    : head_(head),
      limits_(limits),
      fields_(head, detail::FieldReader::Of::kResponse, limits.fields) {
  head_.reset();
}

std::expected<HeadState, HeadError> ResponseParser::parse(proto::Bytes buffer) {
  auto state = parse_lines(buffer);
  if (!state) state.error().status = 502;
  return state;
}

std::expected<HeadState, HeadError> ResponseParser::parse_lines(proto::Bytes buffer) {
  const std::string_view window =
      proto::as_text(buffer.first(std::min<std::size_t>(buffer.size(), limits_.head_bytes)));
  // At once, since what is not HTTP/1 may never send a line.
  if (!has_status_line_ &&
      window.substr(0, kVersionBegin.size()) != kVersionBegin.substr(0, window.size())) {
    return refuse("not an HTTP/1 response");
  }
  for (;;) {
    const auto line = lines_.next(window);
    if (!line) return std::unexpected(line.error());
    if (!*line) {
      if (window.size() < limits_.head_bytes) return HeadState::kMore;
      return std::unexpected(
          detail::too_large(head_, window, lines_.line_start(), "response head too large"));
    }
    if (has_status_line_ && (*line)->empty()) {
      head_.bytes = lines_.line_start();
      if (const auto step = fields_.finish(); !step) return std::unexpected(step.error());
      return HeadState::kComplete;
    }
    const detail::Step step =
        has_status_line_ ? fields_.take(window, **line) : parse_status_line(window, **line);
    if (!step) return std::unexpected(step.error());
    has_status_line_ = true;
  }
}

// HTTP-version SP 3DIGIT [ SP reason-phrase ] (RFC 9112 section 4). The second space is optional
// here, since servers that leave it out with the phrase are common and nothing hangs on it.
detail::Step ResponseParser::parse_status_line(std::string_view buffer, Slice line) {
  const std::string_view text = buffer.substr(line.offset, line.length);
  if (text.size() < kStatusEnd || text[kVersionBegin.size()] < '0' ||
      text[kVersionBegin.size()] > '1' || text[kStatusAt - 1] != ' ') {
    return refuse("malformed status line");
  }
  unsigned status = 0;
  for (const char c : text.substr(kStatusAt, kStatusEnd - kStatusAt)) {
    if (!is_digit(c)) return refuse("malformed status");
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  if (status < 100) return refuse("status out of range");
  if (text.size() > kStatusEnd && text[kStatusEnd] != ' ') return refuse("malformed status");

  head_.minor_version = static_cast<std::uint8_t>(text[kVersionBegin.size()] - '0');
  head_.status = static_cast<std::uint16_t>(status);
  if (text.size() > kStatusEnd) {
    const auto reason_at = static_cast<std::uint32_t>(kStatusEnd + 1);
    head_.reason = {line.offset + reason_at, line.length - reason_at};
  }
  return {};
}

}  // namespace http
