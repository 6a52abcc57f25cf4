// Reading staples, and showing them: the library asks for one after it has read a hello that asks
// for it (status_request), and copies it into its Certificate (RFC 8446 section 4.4.2.1) or
// CertificateStatus message.
#include "proto/tls/staple.hh"

#include <cstdlib>
#include <cstring>
#include <ctime>

#include "proto/tls/certificate.hh"
#include "proto/tls/context_setup.hh"
#include "proto/tls/pem.hh"
#include "proto/tls/session_pending.hh"
// After the settings.
#include <wolfssl/internal.h>
#include <wolfssl/wolfcrypt/coding.h>

namespace tls {
namespace {

constexpr std::string_view kLabel = "OCSP RESPONSE";

// What stands between BEGIN and END; empty: it is no Base64.
std::string binary_of(const PemBlock& block) {
  std::string_view body = block.text.substr(0, block.text.rfind("-----END"));
  body.remove_prefix(std::string_view("-----BEGIN -----").size() + block.label.size());
  std::string der(body.size(), '\0');
  auto size = static_cast<word32>(der.size());
  const int code = Base64_Decode(reinterpret_cast<const unsigned char*>(body.data()),
                                 static_cast<word32>(body.size()),
                                 reinterpret_cast<unsigned char*>(der.data()), &size);
  der.resize(code == 0 ? size : 0);
  return der;
}

// DER, or the one block of PEM; a failure fits behind the file's name.
std::expected<std::string, std::string> binary_in(std::string_view text) {
  if (text.empty()) return std::unexpected("is empty: fetch it anew");
  for (const PemBlock& block : pem_blocks(text)) {
    if (block.label != kLabel)
      return std::unexpected("holds no OCSP response but " + printable(block.label) +
                             ": name what 'openssl ocsp -respout FILE' writes");
    if (!block.whole) return std::unexpected("is cut off: it has no END line; fetch it anew");
    return binary_of(block);
  }
  return std::string(text);
}

std::string leaf_of(const std::string& chain) {
  DerBuffer* der = nullptr;
  if (wc_PemToDer(bytes_of(chain), static_cast<long>(chain.size()), CERT_TYPE, &der, nullptr,
                  nullptr, nullptr) != 0) {
    return {};
  }
  const std::string leaf(reinterpret_cast<const char*>(der->buffer), der->length);
  wc_FreeDer(&der);
  return leaf;
}

// Why clients are not shown it, or will not like it; empty: all is well.
std::string flaw_of(const OcspStatus& status) {
  const std::int64_t now = std::time(nullptr);
  if (status.kind == OcspStatus::Kind::kRevoked)
    return "says that the certificate is revoked: clients will refuse it; have another issued";
  if (status.kind == OcspStatus::Kind::kUnknown)
    return "says that its CA does not know the certificate: no client is shown it; fetch it anew";
  if (status.until <= now)
    return "expired at " + moment_text(status.until) +
           ": no client is shown it, since a stale one is worse than none; fetch it anew";
  if (!status.is_worth_showing(now))
    return "is not valid before " + moment_text(status.from) +
           ": no client is shown it until then; look at the clocks";
  return {};
}

}  // namespace

std::string moment_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm calendar{};
  gmtime_r(&time, &calendar);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &calendar)};
}

StapleFile read_staple(std::string_view text, const std::string& chain) {
  ready_library();
  StapleFile file;
  auto der = binary_in(text);
  if (!der) {
    file.found.faults.push_back(std::move(der.error()));
    return file;
  }
  if (der->size() > kOcspResponseBytesMax) {
    file.found.faults.push_back("is larger than " + std::to_string(kOcspResponseBytesMax / 1024) +
                                "KiB, which is more than handshakes have room for: have one made "
                                "with fewer certificates in it ('openssl ocsp -resp_no_certs')");
    return file;
  }
  auto status =
      read_ocsp_response(proto::as_bytes(*der), proto::as_bytes(leaf_of(certificates_of(chain))));
  if (!status) {
    file.found.faults.push_back(std::move(status.error()));
    return file;
  }
  file.der = *std::move(der);
  file.status = *status;
  if (std::string flaw = flaw_of(*status); !flaw.empty())
    file.found.warnings.push_back(std::move(flaw));
  return file;
}

std::optional<std::string> ServerContext::take_staple(const Pem& pem) {
  if (pem.staple.empty()) return {};
  if (!can_staple()) return "this library cannot show OCSP responses";
  const std::string leaf = leaf_of(certificates_of(pem.chain));
  const auto read = read_ocsp_response(proto::as_bytes(pem.staple), proto::as_bytes(leaf));
  if (!read) return "its OCSP response " + read.error();
  staple = pem.staple;
  staple_status = *read;
#ifdef TLS_HAS_STAPLES
  if (wolfSSL_CTX_set_tlsext_status_cb(context, Callbacks::staple) != WOLFSSL_SUCCESS)
    return "out of memory";
#endif
  return {};
}

bool ServerContext::has_staple_to_show() const {
  return !staple.empty() && staple_status.is_worth_showing(std::time(nullptr));
}

#ifdef TLS_HAS_STAPLES

bool can_staple() {
  return true;
}

// What the library asks is asked of all contexts that check clients alike: with nothing to show it
// must not find out, or its ServerHello would promise what does not come.
void ServerContext::offer_staple() const {
  if (has_staple_to_show()) {
    wolfSSL_CTX_EnableOCSPStapling(context);
  } else {
    wolfSSL_CTX_DisableOCSPStapling(context);
  }
}

// The hello may have asked for it before its ticket, or will behind it.
void ServerContext::withdraw_staple(WOLFSSL* ssl) const {
  if (staple.empty()) return;
  wolfSSL_CTX_DisableOCSPStapling(context);
  forget_staple(ssl);
}

void ServerContext::forget_staple(WOLFSSL* ssl) const {
  if (staple.empty()) return;
  TLSX_Remove(&ssl->extensions, TLSX_STATUS_REQUEST, ssl->heap);
  ssl->status_request = 0;
}

// The copy is the library's, which frees it with what else only the handshake needs.
int Callbacks::staple(WOLFSSL* ssl, void*) {
  const auto& self = *static_cast<const Session*>(wolfSSL_GetIOReadCtx(ssl));
  if (self.pending_ == nullptr || self.pending_->context == nullptr)
    return WOLFSSL_OCSP_STATUS_CB_NOACK;
  const ServerContext& shown = *self.pending_->context;
  if (!shown.has_staple_to_show()) return WOLFSSL_OCSP_STATUS_CB_NOACK;
  const std::size_t size = shown.staple.size();
  auto* const copy = static_cast<unsigned char*>(std::malloc(size));
  if (copy == nullptr) return WOLFSSL_OCSP_STATUS_CB_NOACK;
  std::memcpy(copy, shown.staple.data(), size);
  wolfSSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<int>(size));
  return WOLFSSL_OCSP_STATUS_CB_OK;
}

#else

bool can_staple() {
  return false;
}

void ServerContext::offer_staple() const {}

void ServerContext::withdraw_staple(WOLFSSL*) const {}

void ServerContext::forget_staple(WOLFSSL*) const {}

#endif

}  // namespace tls
