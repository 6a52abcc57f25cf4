#include "proto/jwt/key_set.hh"

#include <gtest/gtest.h>

#include "proto/jwt/base64url.hh"
#include "tests/proto/jwt/vectors.hh"

namespace jwt {
namespace {

constexpr std::string_view kEcPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpy5FWcKI8c62DwAQdi09awY7Umx2\n"
    "Tf+kahFyAO3+OX9zHYFGRfO5r07XMkqCvW+eQG4bajBcEyEut8EB3opFLQ==\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kEd25519Pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAu9UkTL1HA++1eKGHzAguOarr2mwHTdraKWwVqqotpMI=\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kRsaPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuoJPICWWSWQlCIWSyBZF\n"
    "RMcYHVJwi1WQD/oG3ld5Q9C0JD0jBUqpJcALv846tzUjTeMib2owg72PeKp7OOp5\n"
    "IRe6yOHgsN/Fg8FAnybR26cSNQ/R1qKrvGQF/5mhDfeqIive1aT1UCp+bfDvEeeA\n"
    "2KM+svpQxl1kAdIgbYteMf/QjOYE3Zq0fZWMRUqmMW2+5WyFQsNOwHmJSPQGGA0F\n"
    "gNMYtghH3/Pjk2nw6hnmQXavYMj1CYfLecg+/oeawSf1QSkN6nmVCJXnSTs2jRqP\n"
    "t6cOA7+f70e852h4tvJR8al8L7p1WO8WKhSfuVClvO0rpX0yxIUXhIxgBD1j+vrC\n"
    "kQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kP384Pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEiSBRa2RukJmwungE0fFx/kBTDOkA0uy1\n"
    "DEaXuTMMXtZ3SSEaPna6OStP37VPuCV5hvzAC8Zavm1gReqtUAV3Q0W9Wzlep8YO\n"
    "/m8ccYFbEUHMj/mF8E/KBlgdqRd9YCmE\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kSmallRsaPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCz6mRaC3QzMkA8BDl34AoZAggS\n"
    "Om1ccluysy6z//hQNcTYm18XMH97ifau/8SAnD90sV3ME65TutNDc9PYIUK7KVGu\n"
    "clwQJDBY8Zwzu/D6fxkC2+sYyQs4of/88wtRXxM5QF5ROB4RRFYBxBPaCnyuznHY\n"
    "Bs7sJv+rMLr6y8X3GwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

std::string text(std::string_view view) {
  return std::string(view);
}

std::string rfc_set() {
  return R"({"keys": [{"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", )"
         R"("e": "AQAB", "n": ")" +
         text(kRfcModulus) + R"("}, {"kty": "EC", "crv": "P-256", "kid": "e", "x": ")" +
         text(kRfcX) + R"(", "y": ")" + text(kRfcY) +
         R"("}, {"kty": "OKP", "crv": "Ed25519", "x": ")" + text(kRfcEd25519) +
         R"("}, {"kty": "oct", "kid": "s", "k": ")" + text(kRfcSecret) + R"("}]})";
}

TEST(JwtKeySet, ReadsPublicKeysInPemForm) {
  const auto set = read_keys(text(kEcPem) + text(kEd25519Pem) + text(kRsaPem));
  ASSERT_TRUE(set) << set.error();
  ASSERT_EQ(set->keys.size(), 3u);
  EXPECT_EQ(set->keys[0].algorithm, Algorithm::kEs256);
  EXPECT_EQ(set->keys[0].first.size(), 32u);
  EXPECT_EQ(set->keys[1].algorithm, Algorithm::kEdDsa);
  EXPECT_EQ(set->keys[2].algorithm, Algorithm::kRs256);
  EXPECT_EQ(set->keys[2].first.size(), 256u);
  EXPECT_EQ(set->keys[2].second, std::string("\x01\x00\x01", 3));
}

TEST(JwtKeySet, ReadsAJwkSet) {
  const auto set = read_keys("\n " + rfc_set());
  ASSERT_TRUE(set) << set.error();
  EXPECT_TRUE(set->warnings.empty());
  const std::vector<Key> expected = {
      {Algorithm::kRs256, "r", base64url_decode(kRfcModulus).value(),
       std::string("\x01\x00\x01", 3)},
      {Algorithm::kEs256, "e", base64url_decode(kRfcX).value(), base64url_decode(kRfcY).value()},
      {Algorithm::kEdDsa, "", base64url_decode(kRfcEd25519).value(), ""},
      {Algorithm::kHs256, "s", base64url_decode(kRfcSecret).value(), ""}};
  EXPECT_EQ(set->keys, expected);
}

TEST(JwtKeySet, PassesOverKeysOfASetThatAreForSomethingElse) {
  std::string set = rfc_set();
  set.insert(set.find('[') + 1,
             R"({"kty": "RSA", "use": "enc", "kid": "x"}, {"kty": "EC", "crv": "P-384"}, )"
             R"({"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"kty": "oct", "k": "AA"}, )"
             R"({"kty": "oct", "alg": "HS512", "k": ")" +
                 text(kRfcSecret) +
                 R"("}, {"kty": "EC", "crv": "P-256", "x": "=", "y": "AA"}, 7, )"
                 R"({"kty": "OKP", "crv": "Ed25519", "x": "AA", "key_ops": ["sign"]}, )");
  const auto read = read_keys(set);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->keys.size(), 4u);
  const std::vector<std::string> expected = {
      "has a key that is passed over: number 1 (kid x) is not for signatures",
      "has a key that is passed over: number 2 is of another kind than RSA, P-256, Ed25519 and oct",
      "has a key that is passed over: number 3 is no key of Ed25519",
      "has a key that is passed over: number 4 is a secret of less than 32 bytes (RFC 7518 section "
      "3.2)",
      "has a key that is passed over: number 5 is of another algorithm than RS256, ES256, EdDSA "
      "and HS256",
      "has a key that is passed over: number 6 has no valid numbers",
      "has a key that is passed over: number 7 is of another kind than RSA, P-256, Ed25519 and "
      "oct",
      "has a key that is passed over: number 8 is not for signatures"};
  EXPECT_EQ(read->warnings, expected);
}

TEST(JwtKeySet, RefusesFilesWithoutAKeyThatCanBeUsed) {
  const auto refused = [](std::string_view file, std::string_view why) {
    const auto set = read_keys(file);
    ASSERT_FALSE(set) << file;
    EXPECT_EQ(set.error(), why);
  };
  refused("", "has no PUBLIC KEY in PEM form");
  refused("hello", "has no PUBLIC KEY in PEM form");
  refused("{", "is no valid JSON, or has more than 4096 values");
  refused("{}", "is no JWK set: it has no list \"keys\" (RFC 7517 section 5)");
  refused(R"({"keys": {}})", "is no JWK set: it has no list \"keys\" (RFC 7517 section 5)");
  refused(R"({"keys": []})", "has no key that can be used");
  refused(R"({"keys": [], "keys": []})", "is no valid JSON, or has more than 4096 values");
  refused("-----BEGIN PUBLIC KEY-----\nAAAA\n", "has a PEM block without an END line");
  refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
          "has a public key that is none of RSA, of P-256 or of Ed25519, or cannot be read");
  refused(kP384Pem,
          "has a public key that is none of RSA, of P-256 or of Ed25519, or cannot be read");
  refused(kSmallRsaPem, "has a key that is of RSA with less than 2048 bits");
  refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
          "has a private key, which only who makes tokens should have: name the public one "
          "(openssl pkey -pubout)");
  refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          "has a certificate: name the public key in it (openssl x509 -pubkey -noout)");
  std::string many;
  for (std::size_t count = 0; count <= kKeysMax; ++count) many += kEd25519Pem;
  refused(many, "has more than 32 keys");
}

TEST(JwtKeySet, ASecretIsWhatTheFileHoldsWithoutItsLineEnd) {
  const std::string secret(32, 's');
  for (const std::string& file : {secret, secret + "\n", secret + "\r\n"}) {
    const auto set = read_secret(file);
    ASSERT_TRUE(set) << set.error();
    EXPECT_EQ(set->keys.front(), (Key{Algorithm::kHs256, "", secret, ""}));
  }
  EXPECT_EQ(read_secret(secret + "\n\n")->keys.front().first, secret + "\n");
  EXPECT_EQ(read_secret("short\n").error(),
            "has a key that is a secret of less than 32 bytes (RFC 7518 section 3.2)");
  for (const std::string& pem : {std::string(kRsaPem), " \n" + std::string(kRsaPem)}) {
    const auto refused = read_secret(pem);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(),
              "is in PEM form: a public key, which is no secret, goes into 'keys'");
  }
}

}  // namespace
}  // namespace jwt
