// Field values are lists of tokens (RFC 9110 section 5.6.1) or single values; both are trimmed of
// blanks here.
#include "proto/ws/handshake.hh"

#include <algorithm>
#include <cassert>

#include "proto/digest.hh"
#include "proto/http/syntax.hh"

namespace ws {

namespace {

using http::equals_ignoring_case;
using http::trim;

constexpr std::string_view kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // section 1.3
constexpr std::string_view kNamesHandshake = "Connection must not name a Sec-WebSocket field";

// The front of `list` up to a comma, trimmed; `list` keeps what is behind it.
std::string_view take_element(std::string_view& list) {
  const std::size_t end = std::min(list.find(','), list.size());
  const std::string_view element = trim(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return element;
}

// Whether `matches` holds for an element of the list that is not empty.
template <typename Predicate>
bool any_element(const FieldLines& field, Predicate matches) {
  for (std::string_view line : field.kept()) {
    while (!line.empty()) {
      const std::string_view element = take_element(line);
      if (!element.empty() && matches(element)) return true;
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

bool is_alphanumeric(char c) {
  return http::is_alpha(c) || http::is_digit(c);
}

// Whether Connection names a field of the handshake, or one that some take for one of them, as
// variables (RFC 3875 section 4.1.18) do.
bool names_handshake_field(const FieldLines& connection) {
  constexpr std::string_view kPrefix = "sec-websocket-";
  const auto folded = [](char c) { return is_alphanumeric(c) ? http::to_lower(c) : '-'; };
  return any_element(connection, [&](std::string_view option) {
    return std::ranges::equal(option.substr(0, kPrefix.size()), kPrefix, {}, folded);
  });
}

bool is_base64_digit(char c) {
  return is_alphanumeric(c) || c == '+' || c == '/';
}

// Section 4.2.1 item 5: base64 that decodes to 16 bytes, which are 22 digits and two pads.
bool is_key(std::string_view text) {
  return text.size() == std::tuple_size_v<Key> && text.ends_with("==") &&
         std::ranges::all_of(text.substr(0, 22), is_base64_digit);
}

// What is wrong with what a client offers; nothing: it can be read.
std::optional<std::string_view> fault_of_offers(const HandshakeFields& request) {
  if (request.protocols.too_many()) return "too many Sec-WebSocket-Protocol fields";
  std::size_t protocols = 0;
  const bool too_many = any_element(
      request.protocols, [&](std::string_view) { return ++protocols > kSubprotocolsMax; });
  if (too_many) return "too many subprotocols";
  if (request.extensions.too_many()) return "too many Sec-WebSocket-Extensions fields";
  if (!is_well_formed(request.extensions.kept())) return "Sec-WebSocket-Extensions is malformed";
  return std::nullopt;
}

// What is wrong with the subprotocol that a response agrees to, if it does.
std::optional<std::string_view> fault_of_protocol(const FieldLines& answer,
                                                  const FieldLines& offers,
                                                  const OfferPolicy& policy) {
  if (answer.too_many()) return "too many Sec-WebSocket-Protocol fields";
  std::size_t count = 0;
  for (const std::string_view line : answer.kept()) {
    if (is_empty_list(line)) continue;
    if (++count > 1) return "Sec-WebSocket-Protocol must be there once";
    const bool offered =
        any_element(offers, [&](std::string_view offer) { return offer == trim(line); });
    if (!offered || !policy.passes_subprotocol(trim(line))) {
      return "Sec-WebSocket-Protocol was not offered";
    }
  }
  return std::nullopt;
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

bool is_empty_list(std::string_view value) {
  return value.find_first_not_of(" \t,") == value.npos;
}

bool OfferPolicy::passes_subprotocol(std::string_view name) const {
  return subprotocols.empty() || std::ranges::find(subprotocols, name) != subprotocols.end();
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
  if (request.connection.too_many()) return refuse(400, "too many Connection fields");
  if (names_handshake_field(request.connection)) return refuse(400, kNamesHandshake);
  if (const auto fault = fault_of_offers(request)) return refuse(400, *fault);
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

std::expected<Agreement, std::string_view> judge_response(int status,
                                                          const HandshakeFields& response,
                                                          const HandshakeFields& request,
                                                          std::string_view key,
                                                          const OfferPolicy& policy) {
  // The items of section 4.1 for the client, in their order.
  if (status != 101) return std::unexpected("status is not 101");
  const auto upgrade = single(response.upgrade);
  if (!upgrade || !equals_ignoring_case(*upgrade, "websocket")) {
    return std::unexpected("Upgrade is not websocket");
  }
  if (!has_token(response.connection, "upgrade")) {
    return std::unexpected("Connection does not name upgrade");
  }
  if (response.connection.too_many()) return std::unexpected("too many Connection fields");
  if (names_handshake_field(response.connection)) return std::unexpected(kNamesHandshake);
  const auto accept = single(response.accept);
  if (!accept || *accept != as_text(accept_key(key))) {
    return std::unexpected("Sec-WebSocket-Accept is wrong");
  }
  if (response.extensions.too_many()) {
    return std::unexpected("too many Sec-WebSocket-Extensions fields");
  }
  const auto agreement =
      judge_extensions(response.extensions.kept(), request.extensions.kept(), policy.extensions);
  if (!agreement) return agreement;
  const auto fault = fault_of_protocol(response.protocols, request.protocols, policy);
  if (fault) return std::unexpected(*fault);
  return agreement;
}

}  // namespace ws
