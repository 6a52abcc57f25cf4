#include "proto/jwt/key.hh"

#include <wolfssl/wolfcrypt/settings.h>
// The settings come first.
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <algorithm>
#include <vector>

namespace jwt {
namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kSecretBytesMin = 32;    // RFC 7518 section 3.2
constexpr std::size_t kModulusBytesMin = 256;  // RFC 7518 section 3.3
constexpr std::size_t kModulusBytesMax = 512;  // what a check may cost
constexpr std::size_t kExponentBytesMax = 4;   // likewise
constexpr std::size_t kCoordinateBytes = 32;   // RFC 7518 section 3.4
constexpr std::size_t kEd25519KeyBytes = 32;   // RFC 8037 section 2
constexpr std::size_t kEd25519SignatureBytes = 64;

// What stands before a SHA-256 in a signature (RFC 8017 section 9.2, note 1).
constexpr std::array<byte, 19> kDigestInfo = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                              0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                              0x01, 0x05, 0x00, 0x04, 0x20};

using Digest = std::array<byte, kDigestBytes>;

const byte* bytes(std::string_view text) {
  return reinterpret_cast<const byte*>(text.data());
}

word32 size_of(std::string_view text) {
  return static_cast<word32>(text.size());
}

std::optional<Digest> sha256(std::string_view text) {
  Digest digest;
  if (wc_Sha256Hash(bytes(text), size_of(text), digest.data()) != 0) return std::nullopt;
  return digest;
}

// The library's keys, each empty until load() has succeeded.
struct Rsa {
  Rsa() { made = wc_InitRsaKey(&key, nullptr) == 0; }
  ~Rsa() {
    if (made) wc_FreeRsaKey(&key);
  }
  Rsa(const Rsa&) = delete;
  Rsa& operator=(const Rsa&) = delete;
  bool load(const Key& from) {
    return made && wc_RsaPublicKeyDecodeRaw(bytes(from.first), size_of(from.first),
                                            bytes(from.second), size_of(from.second), &key) == 0;
  }

  RsaKey key;
  bool made;
};

struct Ecc {
  Ecc() { made = wc_ecc_init(&key) == 0; }
  ~Ecc() {
    if (made) wc_ecc_free(&key);
  }
  Ecc(const Ecc&) = delete;
  Ecc& operator=(const Ecc&) = delete;
  bool load(const Key& from) {
    return made && wc_ecc_import_unsigned(&key, bytes(from.first), bytes(from.second), nullptr,
                                          ECC_SECP256R1) == 0;
  }

  ecc_key key;
  bool made;
};

struct Ed25519 {
  Ed25519() { made = wc_ed25519_init(&key) == 0; }
  ~Ed25519() {
    if (made) wc_ed25519_free(&key);
  }
  Ed25519(const Ed25519&) = delete;
  Ed25519& operator=(const Ed25519&) = delete;
  bool load(const Key& from) {
    return made && wc_ed25519_import_public(bytes(from.first), size_of(from.first), &key) == 0;
  }

  ed25519_key key;
  bool made;
};

// In a time that does not tell how much of it was right.
bool is_equal(const Digest& one, std::string_view other) {
  if (other.size() != one.size()) return false;
  unsigned difference = 0;
  for (std::size_t index = 0; index < one.size(); ++index) {
    difference |= one[index] ^ static_cast<unsigned char>(other[index]);
  }
  return difference == 0;
}

bool verify_hs256(const Key& key, std::string_view text, std::string_view signature) {
  Hmac hmac;
  if (wc_HmacInit(&hmac, nullptr, INVALID_DEVID) != 0) return false;
  Digest expected;
  const bool done = wc_HmacSetKey(&hmac, WC_SHA256, bytes(key.first), size_of(key.first)) == 0 &&
                    wc_HmacUpdate(&hmac, bytes(text), size_of(text)) == 0 &&
                    wc_HmacFinal(&hmac, expected.data()) == 0;
  wc_HmacFree(&hmac);
  return done && is_equal(expected, signature);
}

bool verify_rs256(const Key& key, std::string_view text, std::string_view signature) {
  if (signature.size() != key.first.size()) return false;
  const auto digest = sha256(text);
  Rsa rsa;
  if (!digest || !rsa.load(key)) return false;
  std::vector<byte> signed_info(signature.size());
  const int count = wc_RsaSSL_Verify(bytes(signature), size_of(signature), signed_info.data(),
                                     static_cast<word32>(signed_info.size()), &rsa.key);
  // Compared as a whole and not read: what stands there beside the digest has no other form.
  if (count != static_cast<int>(kDigestInfo.size() + kDigestBytes)) return false;
  return std::equal(kDigestInfo.begin(), kDigestInfo.end(), signed_info.begin()) &&
         std::equal(digest->begin(), digest->end(), signed_info.begin() + kDigestInfo.size());
}

bool verify_es256(const Key& key, std::string_view text, std::string_view signature) {
  if (signature.size() != 2 * kCoordinateBytes) return false;
  const auto digest = sha256(text);
  Ecc ecc;
  if (!digest || !ecc.load(key)) return false;
  std::array<byte, ECC_MAX_SIG_SIZE> der;
  word32 der_bytes = der.size();
  const byte* const r = bytes(signature);
  if (wc_ecc_rs_raw_to_sig(r, kCoordinateBytes, r + kCoordinateBytes, kCoordinateBytes, der.data(),
                           &der_bytes) != 0) {
    return false;
  }
  int valid = 0;
  const int result =
      wc_ecc_verify_hash(der.data(), der_bytes, digest->data(), kDigestBytes, &valid, &ecc.key);
  return result == 0 && valid == 1;
}

bool verify_eddsa(const Key& key, std::string_view text, std::string_view signature) {
  if (signature.size() != kEd25519SignatureBytes) return false;
  Ed25519 ed25519;
  if (!ed25519.load(key)) return false;
  int valid = 0;
  const int result = wc_ed25519_verify_msg(bytes(signature), size_of(signature), bytes(text),
                                           size_of(text), &valid, &ed25519.key);
  return result == 0 && valid == 1;
}

std::optional<std::string> fault_of_rsa(const Key& key) {
  const std::size_t modulus = key.first.size();
  if (modulus < kModulusBytesMin || key.first.front() == 0) {
    return "is of RSA with less than 2048 bits";
  }
  if (modulus > kModulusBytesMax) return "is of RSA with more than 4096 bits";
  const bool is_odd = !key.second.empty() && (key.second.back() & 1) != 0;
  const bool is_padded = key.second.starts_with('\0');
  const bool is_one = key.second == "\x01";
  if (key.second.size() > kExponentBytesMax || !is_odd || is_padded || is_one) {
    return "has an exponent that is not usual: 65537 is";
  }
  Rsa rsa;
  if (!rsa.load(key)) return "is no valid key of RSA";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> fault_of(const Key& key) {
  switch (key.algorithm) {
    case Algorithm::kHs256:
      if (key.first.size() < kSecretBytesMin) {
        return "is a secret of less than 32 bytes (RFC 7518 section 3.2)";
      }
      return std::nullopt;
    case Algorithm::kRs256:
      return fault_of_rsa(key);
    case Algorithm::kEs256: {
      Ecc ecc;
      const bool fits =
          key.first.size() == kCoordinateBytes && key.second.size() == kCoordinateBytes;
      if (!fits || !ecc.load(key) || wc_ecc_check_key(&ecc.key) != 0) {
        return "is no point on P-256";
      }
      return std::nullopt;
    }
    case Algorithm::kEdDsa: {
      Ed25519 ed25519;
      if (key.first.size() != kEd25519KeyBytes || !ed25519.load(key)) {
        return "is no key of Ed25519";
      }
      return std::nullopt;
    }
  }
  return "is of no known kind";
}

bool verify(const Key& key, std::string_view text, std::string_view signature) {
  switch (key.algorithm) {
    case Algorithm::kHs256:
      return verify_hs256(key, text, signature);
    case Algorithm::kRs256:
      return verify_rs256(key, text, signature);
    case Algorithm::kEs256:
      return verify_es256(key, text, signature);
    case Algorithm::kEdDsa:
      return verify_eddsa(key, text, signature);
  }
  return false;
}

}  // namespace jwt
