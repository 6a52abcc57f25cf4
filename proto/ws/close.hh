// Close payloads (RFC 6455 section 5.5.1 and 7.4), and whole control frames of our own in a fixed
// buffer.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "proto/ws/frame.hh"

namespace ws {

constexpr std::uint16_t kCloseNormal = 1000;
constexpr std::uint16_t kCloseGoingAway = 1001;
constexpr std::uint16_t kCloseProtocolError = 1002;
constexpr std::uint16_t kCloseNoStatus = 1005;  // never on the wire: the close frame had no code
constexpr std::uint16_t kCloseInvalidPayload = 1007;
constexpr std::uint16_t kClosePolicy = 1008;
constexpr std::uint16_t kCloseMessageTooBig = 1009;
constexpr std::uint16_t kCloseInternalError = 1011;
constexpr std::uint16_t kCloseServiceRestart = 1012;
constexpr std::uint16_t kCloseTryAgainLater = 1013;
constexpr std::uint16_t kCloseBadGateway = 1014;

constexpr std::size_t kCloseReasonBytesMax = kControlPayloadBytesMax - 2;

// Whether the code may stand in a close frame: 1000-1003, 1007-1014 and 3000-4999.
bool is_valid_close_code(std::uint16_t code);

// A close frame's payload, unmasked; it owns its text.
struct ClosePayload {
  std::uint16_t code = kCloseNoStatus;
  std::uint8_t reason_bytes = 0;
  std::array<char, kCloseReasonBytesMax> reason_storage;

  std::string_view reason() const { return {reason_storage.data(), reason_bytes}; }
};

// Precondition: `payload` is unmasked, and at most kControlPayloadBytesMax bytes.
std::expected<ClosePayload, Violation> parse_close(Bytes payload);

// A whole control frame.
struct ControlFrame {
  std::array<std::byte, kControlFrameBytesMax> storage;
  std::uint8_t size;

  Bytes bytes() const { return Bytes(storage).first(size); }
};

// With a key as a client sends them, without as a server does. A reason that is too long is cut
// between two characters; kCloseNoStatus makes a close frame without payload. Preconditions: a
// valid close code or kCloseNoStatus; `reason` is UTF-8; at most kControlPayloadBytesMax bytes.
ControlFrame make_close(std::uint16_t code, std::string_view reason = {},
                        std::optional<MaskKey> key = std::nullopt);
ControlFrame make_ping(Bytes payload = {}, std::optional<MaskKey> key = std::nullopt);
ControlFrame make_pong(Bytes payload = {}, std::optional<MaskKey> key = std::nullopt);

}  // namespace ws
