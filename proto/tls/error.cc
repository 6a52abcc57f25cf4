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
  AlertCode alert;  // where the library sends none
};

using enum AlertCode;
constexpr Reason kReasons[] = {
    {VERIFY_MAC_ERROR, "bad record MAC", kBadRecordMac},
    {DECRYPT_ERROR, "bad record MAC", kBadRecordMac},
    {AES_GCM_AUTH_E, "bad record MAC", kBadRecordMac},
    {MAC_CMP_FAILED_E, "bad record MAC", kBadRecordMac},
    {SANITY_CIPHER_E, "record too short", kBadRecordMac},
    {LENGTH_ERROR, "record too long", kRecordOverflow},
    {UNKNOWN_RECORD_TYPE, "not TLS", kUnexpectedMessage},
    {PARSE_ERROR, "not TLS", kUnexpectedMessage},
    {VERSION_ERROR, "unsupported protocol version", kProtocolVersion},
    {UNSUPPORTED_PROTO_VERSION, "unsupported protocol version", kProtocolVersion},
    {MATCH_SUITE_ERROR, "no shared cipher suite", kHandshakeFailure},
    {UNSUPPORTED_SUITE, "no shared cipher suite", kHandshakeFailure},
    {KEY_SHARE_ERROR, "no shared group", kHandshakeFailure},
    {ECC_CURVE_ERROR, "no shared group", kHandshakeFailure},
    {BAD_KEY_SHARE_DATA, "bad key share", kIllegalParameter},
    {ECC_PEERKEY_ERROR, "bad key share", kIllegalParameter},
    {PEER_KEY_ERROR, "bad key share", kIllegalParameter},
    {ECC_OUT_OF_RANGE_E, "bad key share", kIllegalParameter},
    {UNKNOWN_ALPN_PROTOCOL_NAME_E, "no shared application protocol (ALPN)", kNoApplicationProtocol},
    {UNKNOWN_HANDSHAKE_TYPE, "unknown handshake message", kUnexpectedMessage},
    {HANDSHAKE_SIZE_ERROR, "handshake message too long", kDecodeError},
    {BUFFER_ERROR, "malformed handshake message", kDecodeError},
    {BUFFER_E, "malformed handshake message", kDecodeError},
    {INCOMPLETE_DATA, "an extension is missing", kMissingExtension},
    {OUT_OF_ORDER_E, "handshake message out of order", kUnexpectedMessage},
    {SANITY_MSG_E, "handshake message out of order", kUnexpectedMessage},
    {DUPLICATE_MSG_E, "handshake message sent twice", kUnexpectedMessage},
    {NO_CHANGE_CIPHER_E, "handshake message out of order", kUnexpectedMessage},
    {VERIFY_FINISHED_ERROR, "handshake was tampered with (Finished)", kDecryptError},
    {BAD_BINDER, "bad session ticket binder", kDecryptError},
    {ASN_NO_SIGNER_E, "certificate of an unknown authority", kBadCertificate},
    {ASN_SELF_SIGNED_E, "self-signed certificate", kBadCertificate},
    {ASN_SIG_CONFIRM_E, "certificate signature does not verify", kBadCertificate},
    {ASN_AFTER_DATE_E, "certificate has expired", kBadCertificate},
    {ASN_BEFORE_DATE_E, "certificate is not valid yet", kBadCertificate},
    {DOMAIN_NAME_MISMATCH, "certificate is not for this name", kBadCertificate},
    {NO_PEER_CERT, "the client showed no certificate", kHandshakeFailure},
    {NO_PEER_VERIFY, "certificate without a proof of its key", kHandshakeFailure},
    {EXTKEYUSE_AUTH_E, "certificate is not for this use (extended key usage)", kBadCertificate},
    {KEYUSE_SIGNATURE_E, "certificate is not for signatures (key usage)", kBadCertificate},
    {ASN_PATHLEN_INV_E, "certificate chain longer than a CA in it allows", kBadCertificate},
    {ASN_PATHLEN_SIZE_E, "certificate chain longer than a CA in it allows", kBadCertificate},
    {ASN_NAME_INVALID_E, "certificate has a name that its CA must not give", kBadCertificate},
    {CRL_CERT_REVOKED, "certificate has been revoked", kBadCertificate},
    {CRL_MISSING, "certificate of a CA whose list of revoked ones is missing", kBadCertificate},
    {CRL_CERT_DATE_ERR, "certificate of a CA whose list of revoked ones has expired",
     kBadCertificate},
    {VERIFY_CERT_ERROR, "certificate refused", kBadCertificate},
    {MAX_CHAIN_ERROR, "certificate chain too long", kBadCertificate},
    {ALERT_COUNT_E, "too many alerts", kUnexpectedMessage},
    {MEMORY_E, "out of memory", kInternalError},
};

const Reason* find_reason(int code) {
  for (const Reason& reason : kReasons) {
    if (reason.code == code) return &reason;
  }
  return nullptr;
}

// RFC 8446 section 6.2, RFC 6066 section 9: what is said of the certificate that was shown.
bool is_about_the_certificate(std::uint8_t alert) {
  return (alert >= 42 && alert <= 46) || alert == 48 || alert == 113 || alert == 114;
}

}  // namespace

std::string_view reason_for(int code) {
  if (const Reason* reason = find_reason(code)) return reason->text;
  // Static text of the library.
  const char* text = wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(code));
  return text != nullptr ? text : "unknown error";
}

Error received_alert(std::uint8_t code, bool peer_is_server) {
  Error error{peer_is_server ? "the server gave up" : "the client gave up", Error::Alert::kReceived,
              code};
  if (is_about_the_certificate(code)) {
    error.reason = peer_is_server ? "the server refused the certificate"
                                  : "the client refused the certificate";
  }
  return error;
}

AlertCode alert_for(int code) {
  const Reason* const reason = find_reason(code);
  return reason != nullptr ? reason->alert : kHandshakeFailure;
}

Error describe_error(WOLFSSL* ssl, int code, bool peer_is_server) {
  WOLFSSL_ALERT_HISTORY history;
  const bool known = wolfSSL_get_alert_history(ssl, &history) == WOLFSSL_SUCCESS;
  if (known && code == FATAL_ERROR && history.last_rx.code >= 0) {
    return received_alert(static_cast<std::uint8_t>(history.last_rx.code), peer_is_server);
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
  const std::string_view name = alert_name(alert_code);
  if (alert == Alert::kReceived) text.append(": ").append(name).append(" alert received");
  if (alert == Alert::kSent) text.append(" (").append(name).append(" alert sent)");
  return text;
}

}  // namespace tls
