// Reading is strict because close payloads are passed on to the other side; writing can only make
// valid ones.
#include "proto/ws/close.hh"

#include <algorithm>
#include <cassert>

#include "proto/ws/utf8.hh"

namespace ws {

namespace {

ControlFrame make_control(Opcode opcode, Bytes payload, const std::optional<MaskKey>& key) {
  assert(payload.size() <= kControlPayloadBytesMax);
  const EncodedHeader header = encode_header({.opcode = opcode,
                                              .masked = key.has_value(),
                                              .mask_key = key.value_or(MaskKey{}),
                                              .payload_bytes = payload.size()});
  ControlFrame frame = {};
  std::ranges::copy(header.bytes(), frame.storage.begin());
  const MutableBytes body = MutableBytes(frame.storage).subspan(header.size, payload.size());
  std::ranges::copy(payload, body.begin());
  if (key) apply_mask(body, *key);
  frame.size = static_cast<std::uint8_t>(header.size + payload.size());
  return frame;
}

// The length of the longest prefix of `text` that fits and does not cut a character.
std::size_t fitting_bytes(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text.size();
  std::size_t size = bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return size;
}

}  // namespace

bool is_valid_close_code(std::uint16_t code) {
  // Section 7.4.1 and 7.4.2, with the codes that IANA has added since: 1012-1014.
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

std::expected<ClosePayload, Violation> parse_close(Bytes payload) {
  assert(payload.size() <= kControlPayloadBytesMax);
  ClosePayload close = {};
  if (payload.empty()) return close;
  // Section 5.5.1: if there is a body, its first two bytes are the code, the rest is UTF-8.
  if (payload.size() == 1) return std::unexpected(Violation::kClosePayloadLength);
  close.code = static_cast<std::uint16_t>(std::to_integer<unsigned>(payload[0]) << 8 |
                                          std::to_integer<unsigned>(payload[1]));
  if (!is_valid_close_code(close.code)) return std::unexpected(Violation::kCloseCode);
  const Bytes reason = payload.subspan(2);
  if (!is_utf8(reason)) return std::unexpected(Violation::kCloseReason);
  close.reason_bytes = static_cast<std::uint8_t>(reason.size());
  std::ranges::copy(proto::as_text(reason), close.reason_storage.begin());
  return close;
}

ControlFrame make_close(std::uint16_t code, std::string_view reason, std::optional<MaskKey> key) {
  if (code == kCloseNoStatus) return make_control(Opcode::kClose, {}, key);
  assert(is_valid_close_code(code));
  std::array<std::byte, kControlPayloadBytesMax> payload;
  payload[0] = static_cast<std::byte>(code >> 8);
  payload[1] = static_cast<std::byte>(code & 0xff);
  const Bytes text = proto::as_bytes(reason.substr(0, fitting_bytes(reason, kCloseReasonBytesMax)));
  std::ranges::copy(text, payload.begin() + 2);
  return make_control(Opcode::kClose, Bytes(payload).first(2 + text.size()), key);
}

ControlFrame make_ping(Bytes payload, std::optional<MaskKey> key) {
  return make_control(Opcode::kPing, payload, key);
}

ControlFrame make_pong(Bytes payload, std::optional<MaskKey> key) {
  return make_control(Opcode::kPong, payload, key);
}

}  // namespace ws
