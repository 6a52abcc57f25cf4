#include "proto/tls/self_signed.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>

#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/random.h>

namespace tls {
namespace {

// GeneralNames (RFC 5280 section 4.2.1.6): dNSName localhost, iPAddress 127.0.0.1, iPAddress ::1.
constexpr std::array<unsigned char, 37> kAlternativeNames = {
    0x30, 35, 0x82, 9, 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', 0x87, 4, 127, 0, 0, 1,
    0x87, 16, 0,    0, 0,   0,   0,   0,   0,   0,   0,   0,   0,   0,    0, 0,   0, 1};

struct Random {
  Random() : status(wc_InitRng(&rng)) {}
  ~Random() {
    if (status == 0) wc_FreeRng(&rng);
  }
  WC_RNG rng;
  int status;
};

struct EccKey {
  EccKey() : status(wc_ecc_init(&key)) {}
  ~EccKey() {
    if (status == 0) wc_ecc_free(&key);
  }
  ecc_key key;
  int status;
};

template <std::size_t kSize>
void put(char (&field)[kSize], std::string_view text) {
  static_assert(kSize > 1);
  const std::size_t size = std::min(text.size(), kSize - 1);
  std::memcpy(field, text.data(), size);
  field[size] = '\0';
}

std::unexpected<std::string> failure(std::string_view step, int code) {
  return std::unexpected("self-signed certificate: " + std::string(step) + ": " +
                         wc_GetErrorString(code));
}

std::expected<std::string, std::string> to_pem(const unsigned char* der, int size, int type) {
  std::string pem(4096, '\0');
  const int written =
      wc_DerToPem(der, static_cast<word32>(size), reinterpret_cast<unsigned char*>(pem.data()),
                  static_cast<word32>(pem.size()), type);
  if (written <= 0) return failure("PEM", written);
  pem.resize(static_cast<std::size_t>(written));
  return pem;
}

std::string hex(const unsigned char* bytes) {
  std::string text;
  for (int i = 0; i < 16; ++i) {
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

// UTCTime, as RFC 5280 section 4.1.2.5 wants it before 2050; the library itself would write the
// other kind.
void put_time(unsigned char (&field)[CTC_DATE_SIZE], int& size, std::time_t time) {
  std::tm calendar{};
  gmtime_r(&time, &calendar);
  char text[sizeof field];
  std::strftime(text, sizeof text, "\x17\x0d%y%m%d%H%M%SZ", &calendar);
  std::memcpy(field, text, 15);
  size = 15;
}

int fill(Cert& cert, EccKey& key, Random& random, std::chrono::days validity) {
  put(cert.subject.commonName, "localhost");
  put(cert.subject.org, "gateway development");
  cert.selfSigned = 1;
  cert.isCA = 1;  // so that a client may be told to trust it as its own authority
  cert.sigType = CTC_SHA256wECDSA;
  constexpr std::time_t kDay = 86400;
  const std::time_t now = std::time(nullptr);
  put_time(cert.beforeDate, cert.beforeDateSz, now - kDay);
  put_time(cert.afterDate, cert.afterDateSz, now + validity.count() * kDay);
  std::copy(kAlternativeNames.begin(), kAlternativeNames.end(), cert.altNames);
  cert.altNamesSz = static_cast<int>(kAlternativeNames.size());
  cert.serialSz = 16;
  if (int code = wc_RNG_GenerateBlock(&random.rng, cert.serial, 16); code != 0) return code;
  cert.serial[0] = static_cast<byte>((cert.serial[0] & 0x7f) | 0x40);  // positive, 16 bytes
  put(cert.subject.unit, hex(cert.serial));
  if (int code = wc_SetSubjectKeyIdFromPublicKey(&cert, nullptr, &key.key); code != 0) return code;
  if (int code = wc_SetKeyUsage(&cert, "digitalSignature,keyCertSign"); code != 0) return code;
  return wc_SetExtKeyUsage(&cert, "serverAuth");
}

}  // namespace

std::expected<Pem, std::string> make_self_signed(std::chrono::days validity) {
  ready_library();
  Random random;
  if (random.status != 0) return failure("random numbers", random.status);
  EccKey key;
  if (key.status != 0) return failure("key", key.status);
  if (int code = wc_ecc_make_key_ex(&random.rng, 32, &key.key, ECC_SECP256R1); code != 0) {
    return failure("key", code);
  }
  const auto cert = std::make_unique<Cert>();
  if (int code = wc_InitCert(cert.get()); code != 0) return failure("certificate", code);
  if (int code = fill(*cert, key, random, validity); code != 0) return failure("certificate", code);

  std::array<unsigned char, 2048> der;
  int size = wc_MakeCert(cert.get(), der.data(), der.size(), nullptr, &key.key, &random.rng);
  if (size < 0) return failure("certificate", size);
  size = wc_SignCert(cert->bodySz, cert->sigType, der.data(), der.size(), nullptr, &key.key,
                     &random.rng);
  if (size < 0) return failure("signature", size);
  auto chain = to_pem(der.data(), size, CERT_TYPE);
  if (!chain) return std::unexpected(chain.error());

  size = wc_EccKeyToDer(&key.key, der.data(), der.size());
  if (size < 0) return failure("key", size);
  auto key_pem = to_pem(der.data(), size, ECC_PRIVATEKEY_TYPE);
  explicit_bzero(der.data(), der.size());
  if (!key_pem) return std::unexpected(key_pem.error());
  return Pem{.chain = std::move(*chain), .key = std::move(*key_pem)};
}

}  // namespace tls
