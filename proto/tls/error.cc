// Library errors in a log's words. The table holds what peers cause; the rest keeps the library's
// own text.
#include <string>

#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/wolfcrypt/error-crypt.h>

namespace tls {
namespace {

struct Reason {
  int code;
  std::string_view text;
};

constexpr Reason kReasons[] = {
    {VERIFY_MAC_ERROR, "bad record MAC"},
    {DECRYPT_ERROR, "bad record MAC"},
    {AES_GCM_AUTH_E, "bad record MAC"},
    {MAC_CMP_FAILED_E, "bad record MAC"},
    {LENGTH_ERROR, "record too long"},
    {UNKNOWN_RECORD_TYPE, "not TLS"},
    {PARSE_ERROR, "not TLS"},
    {VERSION_ERROR, "protocol version too old"},
    {UNSUPPORTED_PROTO_VERSION, "protocol version too old"},
    {MATCH_SUITE_ERROR, "no shared cipher suite"},
    {UNSUPPORTED_SUITE, "no shared cipher suite"},
    {KEY_SHARE_ERROR, "no shared group"},
    {ECC_CURVE_ERROR, "no shared group"},
    {BAD_KEY_SHARE_DATA, "bad key share"},
    {UNKNOWN_ALPN_PROTOCOL_NAME_E, "no shared application protocol (ALPN)"},
    {UNKNOWN_HANDSHAKE_TYPE, "unknown handshake message"},
    {HANDSHAKE_SIZE_ERROR, "handshake message too long"},
    {BUFFER_ERROR, "malformed handshake message"},
    {BUFFER_E, "malformed handshake message"},
    {OUT_OF_ORDER_E, "handshake message out of order"},
    {SANITY_MSG_E, "handshake message out of order"},
    {DUPLICATE_MSG_E, "handshake message sent twice"},
    {VERIFY_FINISHED_ERROR, "handshake was tampered with (Finished)"},
    {BAD_BINDER, "bad session ticket binder"},
    {ASN_NO_SIGNER_E, "certificate of an unknown authority"},
    {ASN_SELF_SIGNED_E, "self-signed certificate"},
    {ASN_SIG_CONFIRM_E, "certificate signature does not verify"},
    {ASN_AFTER_DATE_E, "certificate has expired"},
    {ASN_BEFORE_DATE_E, "certificate is not valid yet"},
    {DOMAIN_NAME_MISMATCH, "certificate is not for this name"},
    {VERIFY_CERT_ERROR, "certificate refused"},
    {MAX_CHAIN_ERROR, "certificate chain too long"},
    {ALERT_COUNT_E, "too many alerts"},
    {MEMORY_E, "out of memory"},
};

struct AlertName {
  std::uint8_t code;
  std::string_view text;
};

constexpr AlertName kAlerts[] = {
    {0, "close notify"},
    {10, "unexpected message"},
    {20, "bad record MAC"},
    {22, "record overflow"},
    {40, "handshake failure"},
    {42, "bad certificate"},
    {43, "unsupported certificate"},
    {44, "certificate revoked"},
    {45, "certificate expired"},
    {46, "certificate unknown"},
    {47, "illegal parameter"},
    {48, "unknown CA"},
    {49, "access denied"},
    {50, "decode error"},
    {51, "decrypt error"},
    {70, "protocol version"},
    {71, "insufficient security"},
    {80, "internal error"},
    {86, "inappropriate fallback"},
    {90, "user canceled"},
    {100, "no renegotiation"},
    {109, "missing extension"},
    {110, "unsupported extension"},
    {112, "unrecognized name"},
    {113, "bad certificate status response"},
    {115, "unknown PSK identity"},
    {116, "certificate required"},
    {120, "no application protocol"},
};

std::string_view reason_for(int code) {
  for (const Reason& reason : kReasons) {
    if (reason.code == code) return reason.text;
  }
  // Static text of the library.
  const char* text = wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(code));
  return text != nullptr ? text : "unknown error";
}

}  // namespace

std::string_view alert_name(std::uint8_t code) {
  for (const AlertName& alert : kAlerts) {
    if (alert.code == code) return alert.text;
  }
  return "unknown alert";
}

Error describe_error(WOLFSSL* ssl, int code) {
  WOLFSSL_ALERT_HISTORY history;
  const bool known = wolfSSL_get_alert_history(ssl, &history) == WOLFSSL_SUCCESS;
  if (known && code == FATAL_ERROR && history.last_rx.code >= 0) {
    const auto alert = static_cast<std::uint8_t>(history.last_rx.code);
    return {alert_name(alert), Error::Alert::kReceived, alert};
  }
  Error error{reason_for(code)};
  if (known && history.last_tx.code > 0 && history.last_tx.level == alert_fatal) {
    error.alert = Error::Alert::kSent;
    error.alert_code = static_cast<std::uint8_t>(history.last_tx.code);
  }
  return error;
}

std::string Error::text() const {
  std::string text(reason);
  if (alert == Alert::kReceived) text += " (alert from the peer)";
  if (alert == Alert::kSent)
    text.append(" (alert ").append(alert_name(alert_code)).append(" sent)");
  return text;
}

}  // namespace tls
