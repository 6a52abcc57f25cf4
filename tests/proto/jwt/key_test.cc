#include "proto/jwt/key.hh"

#include <gtest/gtest.h>

#include "proto/jwt/base64url.hh"
#include "tests/proto/jwt/vectors.hh"

using namespace std::string_literals;

namespace jwt {
namespace {

std::string decoded(std::string_view text) {
  return base64url_decode(text).value();
}

struct Case {
  Key key;
  std::string_view text;
  std::string signature;
};

std::vector<Case> rfc_cases() {
  const auto of = [](Key key, std::string_view token) {
    const std::size_t dot = token.rfind('.');
    return Case{std::move(key), token.substr(0, dot), decoded(token.substr(dot + 1))};
  };
  return {of({Algorithm::kHs256, "", decoded(kRfcSecret), ""}, kRfcHs256),
          of({Algorithm::kRs256, "", decoded(kRfcModulus), "\x01\x00\x01"s}, kRfcRs256),
          of({Algorithm::kEs256, "", decoded(kRfcX), decoded(kRfcY)}, kRfcEs256),
          Case{{Algorithm::kEdDsa, "", decoded(kRfcEd25519), ""},
               kRfcEdDsaText,
               decoded(kRfcEdDsaSignature)}};
}

TEST(JwtKey, VerifiesTheVectorsOfTheRfcs) {
  for (const Case& one : rfc_cases()) {
    EXPECT_EQ(fault_of(one.key), std::nullopt) << name_of(one.key.algorithm);
    EXPECT_TRUE(verify(one.key, one.text, one.signature)) << name_of(one.key.algorithm);
  }
}

TEST(JwtKey, RefusesEveryOtherBit) {
  for (const Case& one : rfc_cases()) {
    for (std::size_t bit = 0; bit < one.signature.size() * 8; bit += 5) {
      std::string signature = one.signature;
      signature[bit / 8] = static_cast<char>(signature[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(verify(one.key, one.text, signature)) << name_of(one.key.algorithm) << bit;
    }
    std::string text(one.text);
    text.back() = text.back() == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify(one.key, text, one.signature)) << name_of(one.key.algorithm);
  }
}

TEST(JwtKey, RefusesSignaturesOfAnotherLength) {
  for (const Case& one : rfc_cases()) {
    EXPECT_FALSE(verify(one.key, one.text, "")) << name_of(one.key.algorithm);
    EXPECT_FALSE(verify(one.key, one.text, one.signature + '\0'));
    EXPECT_FALSE(verify(one.key, one.text, '\0' + one.signature));
    EXPECT_FALSE(verify(one.key, one.text, one.signature.substr(1)));
    EXPECT_FALSE(verify(one.key, one.text, one.signature.substr(0, one.signature.size() - 1)));
    EXPECT_FALSE(verify(one.key, one.text, std::string(one.signature.size(), '\0')));
    EXPECT_FALSE(verify(one.key, one.text, std::string(one.signature.size(), '\xff')));
  }
}

// Whoever adds the order of the group to the number makes another signature of the same text.
TEST(JwtKey, RefusesASignatureOfEd25519ThatIsNotReduced) {
  const Case one = rfc_cases().back();
  constexpr unsigned char kOrder[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                        0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                        0,    0,    0,    0,    0,    0,    0,    0,
                                        0,    0,    0,    0,    0,    0,    0,    0x10};
  std::string signature = one.signature;
  unsigned carry = 0;
  for (std::size_t index = 0; index < 32; ++index) {
    carry += static_cast<unsigned char>(signature[32 + index]) + kOrder[index];
    signature[32 + index] = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
  EXPECT_FALSE(verify(one.key, one.text, signature));
}

TEST(JwtKey, WeakAndBrokenKeysHaveFaults) {
  const std::string modulus = decoded(kRfcModulus);
  const std::string f4 = "\x01\x00\x01"s;
  EXPECT_EQ(fault_of({Algorithm::kHs256, "", std::string(31, 's'), ""}),
            "is a secret of less than 32 bytes (RFC 7518 section 3.2)");
  EXPECT_FALSE(fault_of({Algorithm::kHs256, "", std::string(32, 's'), ""}));
  EXPECT_EQ(fault_of({Algorithm::kRs256, "", modulus.substr(0, 128), f4}),
            "is of RSA with less than 2048 bits");
  EXPECT_EQ(fault_of({Algorithm::kRs256, "", modulus + modulus + "x", f4}),
            "is of RSA with more than 4096 bits");
  for (const std::string& exponent : {""s, "\x01"s, "\x04"s, "\x01\x01\x01\x01\x01"s}) {
    EXPECT_EQ(fault_of({Algorithm::kRs256, "", modulus, exponent}),
              "has an exponent that is not usual: 65537 is");
  }
  EXPECT_EQ(fault_of({Algorithm::kEs256, "", decoded(kRfcX), decoded(kRfcX)}),
            "is no point on P-256");
  EXPECT_EQ(fault_of({Algorithm::kEs256, "", std::string(32, '\0'), std::string(32, '\0')}),
            "is no point on P-256");
  EXPECT_EQ(fault_of({Algorithm::kEs256, "", decoded(kRfcX), ""}), "is no point on P-256");
  EXPECT_EQ(fault_of({Algorithm::kEdDsa, "", "short", ""}), "is no key of Ed25519");
}

}  // namespace
}  // namespace jwt
