#include "proto/jwt/key_set.hh"

#include <wolfssl/wolfcrypt/settings.h>
// The settings come first.
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include <array>
#include <optional>
#include <utility>

#include "proto/jwt/base64url.hh"
#include "proto/jwt/json.hh"
#include "proto/jwt/token.hh"
#include "proto/tls/pem.hh"

namespace jwt {
namespace {

constexpr JsonLimits kSetLimits{.depth = 8, .values = 4096};
constexpr std::size_t kDerBytesMax = 4096;

using Number = std::array<byte, 512>;

std::string text_of(const Number& number, word32 size) {
  return {reinterpret_cast<const char*>(number.data()), size};
}

std::optional<Key> rsa_from(const byte* der, word32 size) {
  RsaKey rsa;
  if (wc_InitRsaKey(&rsa, nullptr) != 0) return std::nullopt;
  std::optional<Key> key;
  word32 at = 0;
  Number modulus;
  Number exponent;
  word32 modulus_bytes = modulus.size();
  word32 exponent_bytes = exponent.size();
  if (wc_RsaPublicKeyDecode(der, &at, &rsa, size) == 0 &&
      wc_RsaFlattenPublicKey(&rsa, exponent.data(), &exponent_bytes, modulus.data(),
                             &modulus_bytes) == 0) {
    key = Key{Algorithm::kRs256, "", text_of(modulus, modulus_bytes),
              text_of(exponent, exponent_bytes)};
  }
  wc_FreeRsaKey(&rsa);
  return key;
}

std::optional<Key> ecc_from(const byte* der, word32 size) {
  ecc_key ecc;
  if (wc_ecc_init(&ecc) != 0) return std::nullopt;
  std::optional<Key> key;
  word32 at = 0;
  Number x;
  Number y;
  word32 x_bytes = x.size();
  word32 y_bytes = y.size();
  if (wc_EccPublicKeyDecode(der, &at, &ecc, size) == 0 &&
      wc_ecc_export_public_raw(&ecc, x.data(), &x_bytes, y.data(), &y_bytes) == 0 &&
      wc_ecc_get_curve_id(ecc.idx) == ECC_SECP256R1) {
    key = Key{Algorithm::kEs256, "", text_of(x, x_bytes), text_of(y, y_bytes)};
  }
  wc_ecc_free(&ecc);
  return key;
}

std::optional<Key> ed25519_from(const byte* der, word32 size) {
  ed25519_key ed25519;
  if (wc_ed25519_init(&ed25519) != 0) return std::nullopt;
  std::optional<Key> key;
  word32 at = 0;
  Number raw;
  word32 raw_bytes = raw.size();
  if (wc_Ed25519PublicKeyDecode(der, &at, &ed25519, size) == 0 &&
      wc_ed25519_export_public(&ed25519, raw.data(), &raw_bytes) == 0) {
    key = Key{Algorithm::kEdDsa, "", text_of(raw, raw_bytes), ""};
  }
  wc_ed25519_free(&ed25519);
  return key;
}

std::expected<Key, std::string> key_from(const tls::PemBlock& block) {
  std::array<byte, kDerBytesMax> der;
  const int size = wc_PubKeyPemToDer(reinterpret_cast<const byte*>(block.text.data()),
                                     static_cast<int>(block.text.size()), der.data(), kDerBytesMax);
  std::optional<Key> key;
  if (size > 0) {
    const auto der_bytes = static_cast<word32>(size);
    key = ed25519_from(der.data(), der_bytes);
    if (!key) key = ecc_from(der.data(), der_bytes);
    if (!key) key = rsa_from(der.data(), der_bytes);
  }
  if (!key) {
    return std::unexpected(
        "has a public key that is none of RSA, of P-256 or of Ed25519, or cannot be read");
  }
  if (const auto fault = fault_of(*key)) return std::unexpected("has a key that " + *fault);
  return *std::move(key);
}

std::expected<KeySet, std::string> read_pem(std::string_view text) {
  KeySet set;
  for (const tls::PemBlock& block : tls::pem_blocks(text)) {
    if (!block.whole) return std::unexpected("has a PEM block without an END line");
    if (block.label.ends_with("PRIVATE KEY")) {
      return std::unexpected(
          "has a private key, which only who makes tokens should have: name the public one "
          "(openssl pkey -pubout)");
    }
    if (block.label == "CERTIFICATE") {
      return std::unexpected(
          "has a certificate: name the public key in it (openssl x509 -pubkey -noout)");
    }
    if (block.label != "PUBLIC KEY") {
      return std::unexpected("has a PEM block that is no PUBLIC KEY");
    }
    auto key = key_from(block);
    if (!key) return std::unexpected(std::move(key.error()));
    set.keys.push_back(*std::move(key));
  }
  return set;
}

// One of the "keys" of a JWK set, RFC 7517 section 4 and RFC 7518 section 6.
class Jwk {
 public:
  Jwk(const Json& json, const Json::Value& value) : json_(json), value_(value) {}

  // Nothing: it is for something else, as why() says.
  std::optional<Key> read() {
    const std::string_view type = text("kty");
    const std::string_view use = text("use");
    const bool signs = (use.empty() || use == "sig") && may_verify();
    if (!signs) return pass_over("is not for signatures");
    std::optional<Key> key;
    if (type == "RSA") {
      key = make(Algorithm::kRs256, "n", "e");
    } else if (type == "EC" && text("crv") == "P-256") {
      key = make(Algorithm::kEs256, "x", "y");
    } else if (type == "OKP" && text("crv") == "Ed25519") {
      key = make(Algorithm::kEdDsa, "x", "");
    } else if (type == "oct") {
      key = make(Algorithm::kHs256, "k", "");
    } else {
      return pass_over("is of another kind than RSA, P-256, Ed25519 and oct");
    }
    if (!key) return pass_over("has no valid numbers");
    const std::string_view algorithm = text("alg");
    const bool fits = algorithm.empty() || algorithm == name_of(key->algorithm);
    if (!fits) return pass_over("is of another algorithm than RS256, ES256, EdDSA and HS256");
    if (const auto fault = fault_of(*key)) return pass_over(*fault);
    return key;
  }

  const std::string& why() const { return why_; }
  std::string_view id() const { return text("kid"); }

 private:
  std::string_view text(std::string_view name) const {
    const Json::Value* const member = json_.member(value_, name);
    return member != nullptr && member->kind == Json::Kind::kString ? member->text
                                                                    : std::string_view();
  }
  // RFC 7517 section 4.3.
  bool may_verify() const {
    const Json::Value* const operations = json_.member(value_, "key_ops");
    return operations == nullptr || jwt::has_text(json_, *operations, "verify");
  }
  std::optional<Key> make(Algorithm algorithm, std::string_view first, std::string_view second) {
    auto one = base64url_decode(text(first));
    auto other = base64url_decode(second.empty() ? "" : text(second));
    if (!one || !other || one->empty()) return std::nullopt;
    return Key{algorithm, std::string(id()), *std::move(one), *std::move(other)};
  }
  std::nullopt_t pass_over(std::string why) {
    why_ = std::move(why);
    return std::nullopt;
  }

  const Json& json_;
  const Json::Value& value_;
  std::string why_;
};

std::expected<KeySet, std::string> read_jwks(std::string_view text) {
  const auto json = Json::parse(text, kSetLimits);
  if (!json) return std::unexpected("is no valid JSON, or has more than 4096 values");
  const Json::Value* const keys = json->member(json->root(), "keys");
  if (keys == nullptr || keys->kind != Json::Kind::kArray) {
    return std::unexpected("is no JWK set: it has no list \"keys\" (RFC 7517 section 5)");
  }
  KeySet set;
  std::size_t number = 0;
  for (const Json::Value* const value : json->children(*keys)) {
    ++number;
    Jwk jwk(*json, *value);
    if (auto key = jwk.read()) {
      set.keys.push_back(*std::move(key));
      continue;
    }
    const std::string id = jwk.id().empty() ? "" : " (kid " + std::string(jwk.id()) + ")";
    set.warnings.push_back("has a key that is passed over: number " + std::to_string(number) + id +
                           " " + jwk.why());
  }
  return set;
}

}  // namespace

std::expected<KeySet, std::string> read_keys(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  const bool is_json = start != text.npos && text[start] == '{';
  auto set = is_json ? read_jwks(text) : read_pem(text);
  if (!set) return set;
  if (set->keys.empty()) {
    std::string why = is_json ? "has no key that can be used" : "has no PUBLIC KEY in PEM form";
    for (const std::string& warning : set->warnings) why += "; it " + warning;
    return std::unexpected(std::move(why));
  }
  if (set->keys.size() > kKeysMax) {
    return std::unexpected("has more than " + std::to_string(kKeysMax) + " keys");
  }
  return set;
}

std::expected<KeySet, std::string> read_secret(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.find("-----BEGIN ") != text.npos) {
    return std::unexpected("is in PEM form: a public key, which is no secret, goes into 'keys'");
  }
  Key key{Algorithm::kHs256, "", std::string(text), ""};
  if (const auto fault = fault_of(key)) return std::unexpected("has a key that " + *fault);
  return KeySet{{std::move(key)}, {}};
}

}  // namespace jwt
