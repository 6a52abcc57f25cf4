#include "proto/http/head_parser.hh"

#include <algorithm>
#include <charconv>
#include <limits>

#include "proto/http/syntax.hh"

namespace http {
namespace {

constexpr std::uint64_t kContentLengthMax = std::numeric_limits<std::int64_t>::max();

std::unexpected<HeadError> refuse(std::string_view reason, std::uint16_t status = 400) {
  return std::unexpected(HeadError{status, reason, {}});
}

std::uint32_t position(std::size_t at) {
  return static_cast<std::uint32_t>(at);
}

}  // namespace

void Head::reset() {
  bytes = 0;
  minor_version = 1;
  chunked = false;
  connection = {};
  content_length.reset();
  keep_alive_seconds.reset();
  fields.clear();
}

namespace detail {

std::expected<std::optional<Slice>, HeadError> LineReader::next(std::string_view window) {
  const std::size_t at = scanned_ + text_prefix(window.substr(scanned_));
  scanned_ = position(at);
  if (at == window.size()) return std::nullopt;
  if (window[at] == '\n') return refuse("line feed without a carriage return");
  if (window[at] != '\r') return refuse("control byte in the head");
  if (at + 1 == window.size()) return std::nullopt;
  // RFC 9112 section 2.2: a bare CR is invalid.
  if (window[at + 1] != '\n') return refuse("carriage return without a line feed");
  const Slice line{line_start_, position(at) - line_start_};
  line_start_ = scanned_ = position(at + 2);
  return line;
}

// RFC 9112 section 5.
Step FieldReader::take(std::string_view buffer, Slice line) {
  const std::string_view text = buffer.substr(line.offset, line.length);
  // Folding, and whitespace before the first field (RFC 9112 sections 5.2 and 2.2).
  if (!text.empty() && is_whitespace(text.front())) return refuse("folded field line");
  const std::size_t name_bytes = kTokenBytes.prefix(text);
  if (name_bytes == text.size()) return refuse("field line without a colon");
  if (text[name_bytes] != ':') {
    return refuse(is_whitespace(text[name_bytes]) ? "whitespace in a field name"
                                                  : "invalid byte in a field name");
  }
  if (name_bytes == 0) return refuse("empty field name");

  const std::string_view name = text.substr(0, name_bytes);
  const std::string_view value = trim(text.substr(name_bytes + 1));
  const Field field{
      .name = {line.offset, position(name_bytes)},
      .value = {position(value.data() - buffer.data()), position(value.size())},
      .tag = field_tag(name),
  };
  if (head_.fields.size() >= fields_max_) {
    const std::string_view up_to_line = buffer.substr(0, line.offset + line.length);
    return std::unexpected(too_large(head_, up_to_line, line.offset, "too many fields"));
  }
  head_.fields.add(field);
  return take_known(name, value, field.value);
}

Step FieldReader::take_known(std::string_view name, std::string_view value, Slice value_slice) {
  switch (name.size()) {
    case 4:
      if (equals_ignoring_case(name, "Host")) {
        host_ = value_slice;
        // RFC 9112 section 3.2; in a response the field means nothing.
        if (++host_count_ > 1 && is_request_) return refuse("more than one Host");
      }
      break;
    case 10:
      if (equals_ignoring_case(name, "Connection")) return take_connection(value);
      if (equals_ignoring_case(name, "Keep-Alive")) take_keep_alive(value);
      break;
    case 14:
      if (equals_ignoring_case(name, "Content-Length")) return take_content_length(value);
      break;
    case 17:
      if (equals_ignoring_case(name, "Transfer-Encoding")) return take_transfer_encoding(value);
      break;
    default:
      break;
  }
  return {};
}

// RFC 9110 section 8.6: of servers a list of equal values counts as one, which is what it becomes.
// Of clients it is where two readers begin to differ.
Step FieldReader::take_content_length(std::string_view value) {
  if (is_request_) return take_one_content_length(value);
  ListReader lengths(value);
  while (const auto length = lengths.next()) {
    if (const auto step = take_one_content_length(*length); !step) return step;
  }
  return {};
}

Step FieldReader::take_one_content_length(std::string_view value) {
  if (head_.content_length && is_request_) return refuse("more than one Content-Length");
  if (value.empty()) return refuse("empty Content-Length");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (!is_digit(c)) return refuse("malformed Content-Length");
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (kContentLengthMax - digit) / 10) return refuse("Content-Length out of range");
    length = length * 10 + digit;
  }
  if (head_.content_length.value_or(length) != length) {
    return refuse("more than one Content-Length");
  }
  head_.content_length = length;
  return {};
}

// The one list that is understood is a single `chunked`, over all fields of the name (RFC 9112
// section 6.1). A coding that merely resembles it is malformed, not unknown.
Step FieldReader::take_transfer_encoding(std::string_view value) {
  has_transfer_encoding_ = true;
  ListReader codings(value);
  while (const auto coding = codings.next()) {
    if (head_.chunked) return refuse("chunked is not the final transfer coding, or is repeated");
    if (equals_ignoring_case(*coding, "chunked")) {
      head_.chunked = true;
    } else if (!is_token(*coding) || resembles_chunked(*coding)) {
      return refuse("malformed Transfer-Encoding");
    } else {
      has_unknown_coding_ = true;
    }
  }
  return {};
}

bool FieldReader::resembles_chunked(std::string_view coding) {
  constexpr std::string_view kChunked = "chunked";
  for (std::size_t at = 0; at + kChunked.size() <= coding.size(); ++at) {
    if (equals_ignoring_case(coding.substr(at, kChunked.size()), kChunked)) return true;
  }
  return false;
}

Step FieldReader::take_connection(std::string_view value) {
  ListReader options(value);
  while (const auto option = options.next()) {
    if (++connection_options_ > kConnectionOptionsMax) return refuse("too many Connection options");
    if (equals_ignoring_case(*option, "close")) head_.connection.close = true;
    if (equals_ignoring_case(*option, "keep-alive")) head_.connection.keep_alive = true;
    if (equals_ignoring_case(*option, "upgrade")) head_.connection.upgrade = true;
  }
  return {};
}

// Parameters in a list, such as "timeout=5, max=100". Of several timeouts the shortest counts; what
// is malformed is passed over, since it decides nothing that could be misread.
void FieldReader::take_keep_alive(std::string_view value) {
  ListReader parameters(value);
  while (const auto parameter = parameters.next()) {
    const std::size_t equals_at = parameter->find('=');
    if (equals_at == std::string_view::npos) continue;
    if (!equals_ignoring_case(trim(parameter->substr(0, equals_at)), "timeout")) continue;
    const std::string_view digits = trim(parameter->substr(equals_at + 1));
    const char* const digits_end = digits.data() + digits.size();
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits_end, seconds);
    if (error != std::errc() || end != digits_end) continue;
    head_.keep_alive_seconds = std::min(seconds, head_.keep_alive_seconds.value_or(seconds));
  }
}

Step FieldReader::finish() {
  if (!has_transfer_encoding_) return {};
  // RFC 9112 section 6.3: such a message may be an attempt at smuggling.
  if (head_.content_length) return refuse("both Content-Length and Transfer-Encoding");
  if (head_.minor_version == 0) return refuse("Transfer-Encoding with HTTP/1.0");
  if (has_unknown_coding_) return refuse("unknown transfer coding", 501);
  return {};
}

HeadError too_large(const Head& head, std::string_view window, std::uint32_t line_start,
                    std::string_view reason) {
  HeadError error{431, reason, {}};
  std::size_t largest_bytes = 0;
  for (const Field& field : head.fields.all()) {
    const std::size_t field_bytes = std::size_t{field.name.length} + field.value.length;
    if (field_bytes <= largest_bytes) continue;
    largest_bytes = field_bytes;
    error.largest_field = field.name;
  }
  const std::string_view unfinished = window.substr(line_start);
  const std::size_t name_bytes = kTokenBytes.prefix(unfinished);
  const bool has_name = name_bytes > 0 && name_bytes < unfinished.size();
  if (has_name && unfinished.size() > largest_bytes && unfinished[name_bytes] == ':') {
    error.largest_field = {line_start, position(name_bytes)};
  }
  return error;
}

}  // namespace detail
}  // namespace http
