#include "proto/http/request.hh"

#include <algorithm>

#include "proto/http/syntax.hh"
#include "proto/http/target.hh"

namespace http {
namespace {

constexpr std::size_t kMethodMax = 64;
constexpr std::size_t kVersionBytes = 8;       // HTTP/1.1
constexpr unsigned kLeadingEmptyLinesMax = 2;  // RFC 9112 section 2.2 asks for one at least

std::unexpected<HeadError> refuse(std::string_view reason, std::uint16_t status = 400) {
  return std::unexpected(HeadError{status, reason, {}});
}

Slice slice(std::size_t offset, std::size_t length) {
  return {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(length)};
}

// RFC 3986 section 2.1.
bool has_bad_percent_encoding(std::string_view text) {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 3)) {
    if (text.size() - at < 3 || !hex_value(text[at + 1]) || !hex_value(text[at + 2])) return true;
  }
  return false;
}

bool begins_with(std::string_view text, std::string_view lower_case_prefix) {
  return equals_ignoring_case(text.substr(0, lower_case_prefix.size()), lower_case_prefix);
}

}  // namespace

Method method_of(std::string_view text) {
  static constexpr struct {
    std::string_view text;
    Method method;
  } kMethods[] = {
      {"GET", Method::kGet},         {"HEAD", Method::kHead},     {"POST", Method::kPost},
      {"PUT", Method::kPut},         {"DELETE", Method::kDelete}, {"CONNECT", Method::kConnect},
      {"OPTIONS", Method::kOptions}, {"TRACE", Method::kTrace},   {"PATCH", Method::kPatch},
  };
  for (const auto& known : kMethods) {
    if (known.text == text) return known.method;
  }
  return Method::kOther;
}

void RequestHead::reset() {
  Head::reset();
  method = Method::kOther;
  form = TargetForm::kOrigin;
  method_text = target = path = query = authority = {};
}

RequestParser::RequestParser(RequestHead& head, HeadLimits limits)
    : head_(head),
      limits_(limits),
      fields_(head, detail::FieldReader::Of::kRequest, limits.fields) {
  head_.reset();
}

std::expected<HeadState, HeadError> RequestParser::parse(proto::Bytes buffer) {
  for (;;) {
    const std::string_view window =
        proto::as_text(buffer.first(std::min<std::size_t>(buffer.size(), window_max())));
    const auto line = lines_.next(window);
    if (!line) return std::unexpected(line.error());
    if (!*line) {
      if (window.size() < window_max()) return HeadState::kMore;
      if (!has_request_line_) return std::unexpected(request_line_too_long(window));
      return std::unexpected(
          detail::too_large(head_, window, lines_.line_start(), "request head too large"));
    }
    detail::Step step;
    if (has_request_line_ && (*line)->empty()) {
      head_.bytes = lines_.line_start();
      step = finish(window);
      if (step) return HeadState::kComplete;
    } else if (has_request_line_) {
      step = fields_.take(window, **line);
    } else if ((*line)->empty()) {
      if (++leading_empty_lines_ > kLeadingEmptyLinesMax) step = refuse("empty request line");
    } else {
      step = parse_request_line(window, **line);
      has_request_line_ = true;
    }
    if (!step) return std::unexpected(step.error());
  }
}

// How much of the buffer may be looked at: not further than a request line may reach while it is
// awaited, so that its error does not depend on what came with it.
std::size_t RequestParser::window_max() const {
  if (has_request_line_) return limits_.head_bytes;
  const std::size_t line_max =
      kMethodMax + 1 + limits_.target_bytes + 1 + kVersionBytes + std::string_view("\r\n").size();
  return std::min<std::size_t>(limits_.head_bytes, lines_.line_start() + line_max);
}

HeadError RequestParser::request_line_too_long(std::string_view window) const {
  const std::string_view line = window.substr(lines_.line_start());
  const std::size_t method_bytes = kTokenBytes.prefix(line);
  if (method_bytes > kMethodMax) return {501, "method too long", {}};  // RFC 9112 section 3
  if (method_bytes == line.size() || line[method_bytes] != ' ') {
    return {400, "malformed request line", {}};
  }
  return {414, "request target too long", {}};
}

// method SP request-target SP HTTP-version, each space exactly one (RFC 9112 section 3).
detail::Step RequestParser::parse_request_line(std::string_view buffer, Slice line) {
  const std::string_view text = buffer.substr(line.offset, line.length);
  const std::size_t method_bytes = kTokenBytes.prefix(text);
  if (method_bytes > kMethodMax) return refuse("method too long", 501);
  if (method_bytes == 0 || method_bytes == text.size() || text[method_bytes] != ' ') {
    return refuse("malformed request line");
  }
  const std::string_view behind_method = text.substr(method_bytes + 1);
  const std::size_t target_bytes = kTargetBytes.prefix(behind_method);
  if (target_bytes > limits_.target_bytes) return refuse("request target too long", 414);
  if (target_bytes == behind_method.size()) return refuse("request line without a version");
  if (behind_method[target_bytes] != ' ') return refuse("invalid byte in the request target");
  if (target_bytes == 0) return refuse("empty request target");

  const std::string_view version = behind_method.substr(target_bytes + 1);
  if (version.size() != kVersionBytes || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return refuse("malformed HTTP version");
  }
  if (version[5] != '1' || version[7] > '1') return refuse("unsupported HTTP version", 505);

  head_.minor_version = static_cast<std::uint8_t>(version[7] - '0');
  head_.method_text = slice(line.offset, method_bytes);
  head_.method = method_of(text.substr(0, method_bytes));
  head_.target = slice(line.offset + method_bytes + 1, target_bytes);
  return parse_target(buffer);
}

// RFC 9112 section 3.2.
detail::Step RequestParser::parse_target(std::string_view buffer) {
  const std::string_view target = buffer.substr(head_.target.offset, head_.target.length);
  if (has_bad_percent_encoding(target)) return refuse("bad percent-encoding");
  if (head_.method == Method::kConnect) {
    const auto authority = parse_authority(target);
    if (!authority || !authority->port) return refuse("invalid target of CONNECT");
    head_.form = TargetForm::kAuthority;
    head_.authority = head_.target;
    return {};
  }
  if (target.front() == '/') {
    set_path(buffer, 0);
    return {};
  }
  if (target == "*" && head_.method == Method::kOptions) {
    head_.form = TargetForm::kAsterisk;
    head_.path = head_.target;
    return {};
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (begins_with(target, scheme)) return parse_absolute_form(buffer, scheme.size());
  }
  return refuse("invalid request target");
}

// scheme "://" authority path-abempty [ "?" query ], where the authority is not empty and names no
// user (RFC 9110 sections 4.2.1 and 4.2.4).
detail::Step RequestParser::parse_absolute_form(std::string_view buffer, std::size_t scheme_bytes) {
  const std::string_view target = buffer.substr(head_.target.offset, head_.target.length);
  const std::string_view behind_scheme = target.substr(scheme_bytes);
  const std::string_view authority = behind_scheme.substr(0, behind_scheme.find_first_of("/?"));
  if (!parse_authority(authority)) return refuse("invalid host in the request target");
  head_.form = TargetForm::kAbsolute;
  head_.authority = slice(head_.target.offset + scheme_bytes, authority.size());
  set_path(buffer, scheme_bytes + authority.size());
  return {};
}

void RequestParser::set_path(std::string_view buffer, std::size_t path_at) {
  const std::string_view target = buffer.substr(head_.target.offset, head_.target.length);
  const SplitTarget split = split_target(target.substr(path_at));
  head_.path = slice(head_.target.offset + path_at, split.path.size());
  head_.query = slice(head_.target.offset + path_at + split.path.size(), split.query.size());
}

// RFC 9112 section 3.2: exactly one valid Host, which an authority in the target then overrides.
detail::Step RequestParser::finish(std::string_view buffer) {
  if (fields_.host_count() == 0) {
    if (head_.minor_version == 1) return refuse("no Host");
  } else {
    const Slice host = fields_.host();
    if (!parse_authority(buffer.substr(host.offset, host.length))) return refuse("invalid Host");
    if (head_.authority.empty()) head_.authority = host;
  }
  return fields_.finish();
}

}  // namespace http
