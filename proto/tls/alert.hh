// TLS alerts (RFC 8446 section 6): their numbers, their names, and how one is said before there are
// keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tls {

// Those that we send ourselves.
enum class AlertCode : std::uint8_t {
  kUnexpectedMessage = 10,
  kBadRecordMac = 20,
  kRecordOverflow = 22,
  kHandshakeFailure = 40,
  kBadCertificate = 42,
  kIllegalParameter = 47,
  kDecodeError = 50,
  kDecryptError = 51,
  kProtocolVersion = 70,
  kInternalError = 80,
  kInappropriateFallback = 86,
  kMissingExtension = 109,
  kNoApplicationProtocol = 120,
};

// Why a peer is refused, and the alert that tells it.
struct Refusal {
  std::string_view reason;  // static text
  AlertCode alert;
};

// "unknown_ca", as the RFCs write it; "unknown" for other numbers.
std::string_view alert_name(std::uint8_t code);

// A fatal alert as a whole record in plain text.
constexpr std::array<std::byte, 7> plain_alert(AlertCode code) {
  return {std::byte{21},
          std::byte{3},
          std::byte{3},
          std::byte{0},
          std::byte{2},
          std::byte{2},
          static_cast<std::byte>(code)};
}

}  // namespace tls
