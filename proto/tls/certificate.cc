#include "proto/tls/certificate.hh"

#include <algorithm>
#include <ctime>
#include <iterator>
#include <optional>

// After the settings.
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

namespace tls {
namespace {

constexpr std::size_t kPrintableBytesMax = 100;
constexpr int kRsaBitsLeast = 1024;  // fewer are refused by the library
constexpr int kRsaBitsGood = 2048;
constexpr int kRsaBitsMost = 4096;
constexpr std::string_view kOtherPoint = "another curve, or a compressed point";

// The library's codes for what it does not know, rather than cannot read.
bool is_unsupported(int code) {
  return code == ASN_UNKNOWN_OID_E || code == ASN_SIG_OID_E || code == ASN_SIG_KEY_E ||
         code == ALGO_ID_E || code == ECC_CURVE_OID_E || code == NOT_COMPILED_IN;
}

std::string unsupported(std::string_view why) {
  return std::string("is of a kind that is not supported (")
      .append(why)
      .append("): ")
      .append(kKinds);
}

std::optional<std::time_t> time_of(const unsigned char* date, int size) {
  const unsigned char* value = nullptr;
  unsigned char format = 0;
  int length = 0;
  std::tm calendar{};
  if (wc_GetDateInfo(date, size, &value, &format, &length) != 0) return {};
  if (wc_GetDateAsCalendarTime(value, length, format, &calendar) != 0) return {};
  return timegm(&calendar);
}

std::string day_of(std::time_t time) {
  std::tm calendar{};
  gmtime_r(&time, &calendar);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &calendar)};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kPrintableBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      shown += c;
    } else {
      shown.append("\\x").append(1, "0123456789abcdef"[byte >> 4]);
      shown += "0123456789abcdef"[byte & 15];
    }
  }
  if (text.size() > kPrintableBytesMax) shown += "...";
  return shown;
}

bool is_one_sequence(std::string_view der) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(der[at]); };
  if (der.size() < 2 || byte(0) != 0x30) return false;
  std::size_t length = byte(1);
  std::size_t head = 2;
  if (length >= 0x80) {
    head += length - 0x80;
    if (head > std::min(der.size(), sizeof length)) return false;
    length = 0;
    for (std::size_t at = 2; at < head; ++at) length = length << 8 | byte(at);
  }
  return head + length == der.size();
}

std::int64_t end_of_validity(const unsigned char* der, unsigned size) {
  DecodedCert cert;
  wc_InitDecodedCert(&cert, der, size, nullptr);
  std::optional<std::time_t> end;
  if (wc_ParseCert(&cert, CERT_TYPE, NO_VERIFY, nullptr) == 0)
    end = time_of(cert.afterDate, cert.afterDateLen);
  wc_FreeDecodedCert(&cert);
  return end.value_or(0);
}

Certificate::Certificate(std::string_view pem) {
  error_ = wc_PemToDer(reinterpret_cast<const unsigned char*>(pem.data()),
                       static_cast<long>(pem.size()), CERT_TYPE, &der_, nullptr, nullptr, nullptr);
  if (error_ != 0) return;
  whole_ = is_one_sequence({reinterpret_cast<const char*>(der_->buffer), der_->length});
  wc_InitDecodedCert(&*cert_, der_->buffer, der_->length, nullptr);
  decoded_ = true;
  error_ = wc_ParseCert(&*cert_, CERT_TYPE, NO_VERIFY, nullptr);
}

Certificate::~Certificate() {
  if (decoded_) wc_FreeDecodedCert(&*cert_);
  if (der_ != nullptr) wc_FreeDer(&der_);
}

std::string Certificate::reason() const {
  return wc_GetErrorString(error_);
}

std::string Certificate::unreadable() const {
  if (error_ == 0) return {};
  if (!whole_) return "is damaged (" + reason() + "): copy it anew";
  if (is_unsupported(error_)) return unsupported(reason());
  if (error_ == ASN_CRIT_EXT_E)
    return "has a critical extension that is not supported: have one issued without it";
  return "is damaged, or of a form that is not supported (" + reason() +
         "): copy it anew, or have another issued";
}

std::vector<std::string> Certificate::names() const {
  std::vector<std::string> names;
  for (const DNS_entry* one = cert_->altNames; one != nullptr; one = one->next) {
    if (one->type == ASN_DNS_TYPE && one->name != nullptr && one->len > 0)
      names.push_back(printable({one->name, static_cast<std::size_t>(one->len)}));
  }
  if (names.empty()) names.push_back(name());
  return names;
}

std::string Certificate::name() const {
  for (const DNS_entry* one = cert_->altNames; one != nullptr; one = one->next) {
    if (one->type == ASN_DNS_TYPE && one->name != nullptr && one->len > 0)
      return printable({one->name, static_cast<std::size_t>(one->len)});
  }
  if (cert_->subjectCN == nullptr || cert_->subjectCNLen <= 0) return "nobody";
  return printable({cert_->subjectCN, static_cast<std::size_t>(cert_->subjectCNLen)});
}

std::int64_t Certificate::valid_until() const {
  return der_ != nullptr ? end_of_validity(der_->buffer, der_->length) : 0;
}

std::string Certificate::untimely() const {
  const auto until = time_of(cert_->afterDate, cert_->afterDateLen);
  const auto from = time_of(cert_->beforeDate, cert_->beforeDateLen);
  const std::time_t now = std::time(nullptr);
  if (until && *until < now) return "expired on " + day_of(*until);
  if (from && *from > now) return "is not valid before " + day_of(*from);
  return {};
}

int Certificate::rsa_bits() const {
  word32 at = 0;
  word32 bytes = 0;
  const int code = wc_RsaPublicKeyDecode_ex(cert_->publicKey, &at, cert_->pubKeySize, nullptr,
                                            &bytes, nullptr, nullptr);
  return code == 0 ? static_cast<int>(bytes) * 8 : 0;
}

std::string Certificate::misfit() const {
  switch (cert_->keyOID) {
    case RSAk:
    case RSAPSSk: {
      const int bits = rsa_bits();
      if (bits >= kRsaBitsLeast && bits <= kRsaBitsMost) return {};
      return unsupported("RSA of " + std::to_string(bits) + " bits");
    }
    case ECDSAk:
      return has_usable_point() ? "" : unsupported(kOtherPoint);
    case ED25519k:
      return {};
    default:
      return unsupported("another key");
  }
}

bool Certificate::has_usable_point() const {
  ecc_key key;
  if (wc_ecc_init(&key) != 0) return false;
  word32 at = 0;
  const int code = wc_EccPublicKeyDecode(cert_->publicKey, &at, &key, cert_->pubKeySize);
  wc_ecc_free(&key);
  return code == 0;
}

std::string Certificate::misfit_of_server() const {
  if (cert_->keyOID == RSAPSSk) return unsupported("a key for RSA-PSS alone");
  const word32 curve = cert_->pkCurveOID;
  if (cert_->keyOID == ECDSAk && curve != ECC_SECP256R1_OID && curve != ECC_SECP384R1_OID &&
      curve != ECC_SECP521R1_OID)
    return unsupported(kOtherPoint);
  return misfit();
}

std::vector<std::string> Certificate::oddities_of_server() const {
  std::vector<std::string> found;
  if (cert_->altNames == nullptr)
    found.emplace_back("names no host (subject alternative name): no client will take it");
  if (cert_->keyOID == RSAk && rsa_bits() < kRsaBitsGood)
    found.push_back("has an RSA key of " + std::to_string(rsa_bits()) +
                    " bits: clients may refuse it; make one of 2048");
  if (cert_->extExtKeyUsageSet != 0 &&
      (cert_->extExtKeyUsage & (EXTKEYUSE_SERVER_AUTH | EXTKEYUSE_ANY)) == 0)
    found.emplace_back(
        "is not for servers (extended key usage): clients may refuse it; have one issued with "
        "serverAuth");
  if (cert_->extKeyUsageSet != 0 && (cert_->extKeyUsage & KEYUSE_DIGITAL_SIG) == 0)
    found.emplace_back(
        "is not for signatures (key usage): clients may refuse it; have one issued with "
        "digitalSignature");
  return found;
}

bool Certificate::is_signed_by(const Certificate& other) const {
  return std::equal(std::begin(cert_->issuerHash), std::end(cert_->issuerHash),
                    std::begin(other.cert_->subjectHash));
}

}  // namespace tls
