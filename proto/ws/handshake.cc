// Field values are lists of tokens (RFC 9110 section 5.6.1) or single values; both are trimmed of
// blanks here.
#include "proto/ws/handshake.hh"

#include <algorithm>
#include <cassert>

#include "proto/digest.hh"

namespace ws {

namespace {

constexpr std::string_view kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // section 1.3

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The front of `list` up to the separator, trimmed; `list` keeps what is behind it.
std::string_view take_element(std::string_view& list, char separator) {
  const std::size_t end = std::min(list.find(separator), list.size());
  const std::string_view element = trim(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return element;
}

// Whether `matches` holds for an element of the list; parameters behind a semicolon are not looked
// at.
template <typename Predicate>
bool any_element(const FieldLines& field, Predicate matches) {
  for (std::string_view line : field.kept()) {
    while (!line.empty()) {
      std::string_view element = take_element(line, ',');
      if (matches(take_element(element, ';'))) return true;
    }
  }
  return false;
}

bool has_token(const FieldLines& field, std::string_view token) {
  return any_element(field, [&](std::string_view t) { return equals_ignoring_case(t, token); });
}

// The value of a field that must be there exactly once.
std::optional<std::string_view> single(const FieldLines& field) {
  if (field.count != 1) return std::nullopt;
  return trim(field.lines[0]);
}

bool is_base64_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// Section 4.2.1 item 5: base64 that decodes to 16 bytes, which are 22 digits and two pads.
bool is_key(std::string_view text) {
  return text.size() == std::tuple_size_v<Key> && text.ends_with("==") &&
         std::ranges::all_of(text.substr(0, 22), is_base64_digit);
}

RequestVerdict refuse(int status, std::string_view reason) {
  return {.kind = RequestVerdict::Kind::kRefuse, .status = status, .reason = reason};
}

}  // namespace

std::span<const std::string_view> FieldLines::kept() const {
  return std::span(lines).first(std::min(count, kLinesMax));
}

void HandshakeFields::add(std::string_view name, std::string_view value) {
  static constexpr std::pair<std::string_view, FieldLines HandshakeFields::*> kFields[] = {
      {"upgrade", &HandshakeFields::upgrade},
      {"connection", &HandshakeFields::connection},
      {"sec-websocket-key", &HandshakeFields::key},
      {"sec-websocket-version", &HandshakeFields::version},
      {"sec-websocket-accept", &HandshakeFields::accept},
      {"sec-websocket-protocol", &HandshakeFields::protocols},
      {"sec-websocket-extensions", &HandshakeFields::extensions},
  };
  for (const auto& [known, member] : kFields) {
    if (!equals_ignoring_case(name, known)) continue;
    FieldLines& field = this->*member;
    if (field.count < FieldLines::kLinesMax) field.lines[field.count] = value;
    ++field.count;
    return;
  }
}

RequestVerdict judge_request(std::string_view method, bool http_1_1,
                             const HandshakeFields& request) {
  // RFC 9110 section 7.8: Upgrade counts only in HTTP/1.1, and only if Connection names it.
  if (!http_1_1 || !has_token(request.upgrade, "websocket") ||
      !has_token(request.connection, "upgrade")) {
    return {.kind = RequestVerdict::Kind::kNotAsked};
  }
  if (method != "GET") return refuse(400, "a WebSocket handshake must be a GET");
  if (request.version.count != 1) return refuse(400, "Sec-WebSocket-Version must be there once");
  if (*single(request.version) != kVersion) return refuse(426, "Sec-WebSocket-Version must be 13");
  const auto key = single(request.key);
  if (!key) return refuse(400, "Sec-WebSocket-Key must be there once");
  if (!is_key(*key)) return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64");
  if (request.protocols.too_many()) return refuse(400, "too many Sec-WebSocket-Protocol fields");
  if (request.extensions.too_many()) return refuse(400, "too many Sec-WebSocket-Extensions fields");
  return {.kind = RequestVerdict::Kind::kAccept, .key = *key};
}

Key make_key(std::span<const std::byte, 16> random) {
  Key key;
  proto::base64_encode(random, key);
  return key;
}

Accept accept_key(std::string_view key) {
  assert(key.size() == std::tuple_size_v<Key>);
  std::array<char, std::tuple_size_v<Key> + kAcceptGuid.size()> text;
  std::ranges::copy(kAcceptGuid, std::ranges::copy(key, text.begin()).out);
  Accept accept;
  proto::base64_encode(proto::sha1(std::as_bytes(std::span(text))), accept);
  return accept;
}

std::optional<std::string_view> reject_response(int status, const HandshakeFields& response,
                                                const HandshakeFields& request,
                                                std::string_view key) {
  // The items of section 4.1 for the client, in their order.
  if (status != 101) return "status is not 101";
  const auto upgrade = single(response.upgrade);
  if (!upgrade || !equals_ignoring_case(*upgrade, "websocket")) return "Upgrade is not websocket";
  if (!has_token(response.connection, "upgrade")) return "Connection does not name upgrade";
  const auto accept = single(response.accept);
  if (!accept || *accept != as_text(accept_key(key))) return "Sec-WebSocket-Accept is wrong";

  const auto offered = [](const FieldLines& field) {
    return [&field](std::string_view element) {
      return any_element(field, [&](std::string_view offer) { return offer == element; });
    };
  };
  const bool foreign_extension =
      response.extensions.too_many() ||
      any_element(response.extensions, [&](std::string_view extension) {
        return !extension.empty() && !offered(request.extensions)(extension);
      });
  if (foreign_extension) return "Sec-WebSocket-Extensions was not offered";
  if (response.protocols.count == 0) return std::nullopt;
  const auto protocol = single(response.protocols);
  if (!protocol || protocol->empty() || !offered(request.protocols)(*protocol)) {
    return "Sec-WebSocket-Protocol was not offered";
  }
  return std::nullopt;
}

}  // namespace ws
