#include "proto/jwt/token.hh"

#include <gtest/gtest.h>

#include "proto/jwt/base64url.hh"
#include "tests/proto/jwt/signed.hh"
#include "tests/proto/jwt/vectors.hh"

namespace jwt {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

Rules rules() {
  return {.keys = {{Algorithm::kHs256, "", kSecret, ""}}};
}

Rules with(Key key) {
  return {.keys = {std::move(key)}};
}

std::string decoded(std::string_view text) {
  return base64url_decode(text).value();
}

// Empty: it is taken.
std::string fault_of(std::string_view token, const Rules& rules, std::int64_t now_s = kNow) {
  const auto verified = verify_token(token, rules, now_s);
  return verified ? "" : std::string(verified.error());
}

TEST(JwtToken, TakesTheTokensOfRfc7515UntilTheyExpire) {
  const std::pair<std::string_view, Rules> cases[] = {
      {kRfcHs256, with({Algorithm::kHs256, "", decoded(kRfcSecret), ""})},
      {kRfcRs256,
       with({Algorithm::kRs256, "", decoded(kRfcModulus), std::string("\x01\x00\x01", 3)})},
      {kRfcEs256, with({Algorithm::kEs256, "", decoded(kRfcX), decoded(kRfcY)})}};
  for (const auto& [token, rules] : cases) {
    const auto verified = verify_token(token, rules, 1'300'819'379);
    ASSERT_TRUE(verified) << verified.error();
    EXPECT_EQ(verified->ends_at_s, 1'300'819'380);
    EXPECT_EQ(verified->claims.member(verified->claims.root(), "iss")->text, "joe");
    EXPECT_EQ(fault_of(token, rules, 1'300'819'380), "the token has expired");
  }
}

TEST(JwtToken, RefusesWhatIsNoToken) {
  const std::string good = sign(R"({"exp": 1900000000})");
  ASSERT_EQ(fault_of(good, rules()), "");
  const std::string claims = good.substr(good.find('.') + 1);
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "the token has not three parts"},
      {"a.b", "the token has not three parts"},
      {good + ".x", "the token has not three parts"},
      {good + ".x.y", "the token has not three parts"},
      {"." + claims, "the header of the token is invalid"},
      {"!" + good, "the header of the token is invalid"},
      {good + "=", "the signature of the token is invalid"},
      {good + "A", "the signature of the token is not valid"},
      {good.substr(0, good.size() - 3), "the signature of the token is not valid"},
      {good.substr(0, good.rfind('.') + 1), "the signature of the token is not valid"},
      {sign("[]"), "the claims of the token are invalid"},
      {sign("x"), "the claims of the token are invalid"},
      {sign(R"({"exp": 1900000000, "exp": 1900000001})"), "the claims of the token are invalid"},
      {sign(R"({"exp": 1900000000})", "[]"), "the header of the token is invalid"},
      {sign(R"({"exp": 1900000000})", R"({"alg": "HS256", "alg": "HS256"})"),
       "the header of the token is invalid"},
      {std::string(kTokenBytesMax + 1, 'a'), "the token is larger than 16 KiB"},
  };
  for (const auto& [token, fault] : cases) EXPECT_EQ(fault_of(token, rules()), fault) << token;
}

TEST(JwtToken, TheAlgorithmIsTheKeys) {
  const std::string claims = R"({"exp": 1900000000})";
  const auto fault = [&](std::string_view header) {
    return fault_of(sign(claims, header), rules());
  };
  const std::string_view other = "the algorithm of the token is not allowed here";
  for (const std::string_view name :
       {"none", "None", "NONE", "nOnE", "", "hs256", "HS384", "RS256"}) {
    EXPECT_EQ(fault(R"({"alg": ")" + std::string(name) + R"("})"), other) << name;
  }
  EXPECT_EQ(fault("{}"), "the token names no algorithm");
  EXPECT_EQ(fault(R"({"alg": null})"), "the token names no algorithm");
  EXPECT_EQ(fault(R"({"alg": ["HS256"]})"), "the token names no algorithm");
  const std::string unsigned_text = encoded(R"({"alg": "none"})") + "." + encoded(claims) + ".";
  EXPECT_EQ(fault_of(unsigned_text, rules()), other);
}

// The public key, which everybody has, as a secret.
TEST(JwtToken, APublicKeyIsNoSecret) {
  const std::string modulus = decoded(kRfcModulus);
  const Rules rsa = with({Algorithm::kRs256, "", modulus, std::string("\x01\x00\x01", 3)});
  const std::string text = encoded(R"({"alg": "HS256"})") + "." + encoded(R"({"exp": 1900000000})");
  EXPECT_EQ(fault_of(text + "." + encoded(hmac_sha256(modulus.substr(0, 64), text)), rsa),
            "the algorithm of the token is not allowed here");
  // A secret that is no number of RSA, the other way round.
  EXPECT_EQ(fault_of(kRfcRs256, rules()), "the algorithm of the token is not allowed here");
}

TEST(JwtToken, CriticalExtensionsAreRefused) {
  for (const std::string_view header :
       {R"({"alg": "HS256", "crit": ["exp"]})", R"({"alg": "HS256", "crit": []})",
        R"({"alg": "HS256", "crit": ["b64"], "b64": false})",
        R"({"alg": "HS256", "crit": null})"}) {
    EXPECT_EQ(fault_of(sign(R"({"exp": 1900000000})", header), rules()),
              "the token has critical extensions");
  }
}

TEST(JwtToken, TheKeyIsTheOneThatIsNamed) {
  Rules several;
  several.keys = {{Algorithm::kHs256, "old", std::string(40, 'o'), ""},
                  {Algorithm::kHs256, "new", kSecret, ""}};
  const auto fault = [&](std::string_view id) {
    return fault_of(
        sign(R"({"exp": 1900000000})", R"({"alg": "HS256", "kid": )" + std::string(id) + "}"),
        several);
  };
  EXPECT_EQ(fault(R"("new")"), "");
  EXPECT_EQ(fault(R"("old")"), "the signature of the token is not valid");
  EXPECT_EQ(fault(R"("other")"), "the key of the token is unknown");
  EXPECT_EQ(fault(R"("../../dev/null")"), "the key of the token is unknown");
  EXPECT_EQ(fault("7"), "the key id of the token is no text");
  // Without a name each may be meant; a key without one may be meant by any.
  EXPECT_EQ(fault_of(sign(R"({"exp": 1900000000})"), several), "");
  EXPECT_EQ(fault_of(sign(R"({"exp": 1900000000})", R"({"alg": "HS256", "kid": "x"})"), rules()),
            "");
}

TEST(JwtToken, TimesHaveALeeway) {
  Rules lenient = rules();
  lenient.leeway = std::chrono::seconds(10);
  struct Case {
    std::string_view claims;
    std::string_view fault;
  };
  const Case cases[] = {
      {R"({"exp": 1800000001})", ""},
      {R"({"exp": 1799999991})", ""},
      {R"({"exp": 1799999990})", "the token has expired"},
      {R"({"exp": 1799999990.5})", ""},
      {R"({"exp": 0})", "the token has expired"},
      {R"({"exp": -1e300})", "the token has expired"},
      {R"({"exp": 1e300})", ""},
      {R"({"exp": "1900000000"})", "a time in the token is no number"},
      {R"({"exp": null})", "a time in the token is no number"},
      {R"({"exp": true})", "a time in the token is no number"},
      {"{}", "the token has no time of expiry"},
      {R"({"exp": 1900000000, "nbf": 1800000010})", ""},
      {R"({"exp": 1900000000, "nbf": 1800000011})", "the token is not valid yet"},
      {R"({"exp": 1900000000, "nbf": []})", "a time in the token is no number"},
      {R"({"exp": 1900000000, "iat": 1800000010})", ""},
      {R"({"exp": 1900000000, "iat": 1800000011})", "the token was issued in the future"},
      {R"({"exp": 1900000000, "iat": "x"})", "a time in the token is no number"},
  };
  for (const Case& one : cases)
    EXPECT_EQ(fault_of(sign(one.claims), lenient), one.fault) << one.claims;
  EXPECT_EQ(verify_token(sign(R"({"exp": 1800000001})"), lenient, kNow)->ends_at_s, 1'800'000'011);
  lenient.needs_expiry = false;
  const auto endless = verify_token(sign("{}"), lenient, kNow);
  ASSERT_TRUE(endless);
  EXPECT_EQ(endless->ends_at_s, std::nullopt);
}

TEST(JwtToken, IssuerAndAudienceAreOneOfThoseThatAreAllowed) {
  Rules strict = rules();
  strict.issuers = {"https://a.test", "https://b.test"};
  strict.audiences = {"chat", "game"};
  const auto fault = [&](std::string_view rest) {
    return fault_of(sign(R"({"exp": 1900000000, )" + std::string(rest) + "}"), strict);
  };
  EXPECT_EQ(fault(R"("iss": "https://b.test", "aud": "chat")"), "");
  EXPECT_EQ(fault(R"("iss": "https://a.test", "aud": ["x", "game"])"), "");
  const std::string_view issuer = "the token is of another issuer";
  EXPECT_EQ(fault(R"("aud": "chat")"), issuer);
  EXPECT_EQ(fault(R"("iss": "https://a.test.evil", "aud": "chat")"), issuer);
  EXPECT_EQ(fault(R"("iss": ["https://a.test"], "aud": "chat")"), issuer);
  const std::string_view audience = "the token is for another audience";
  EXPECT_EQ(fault(R"("iss": "https://a.test")"), audience);
  EXPECT_EQ(fault(R"("iss": "https://a.test", "aud": "Chat")"), audience);
  EXPECT_EQ(fault(R"("iss": "https://a.test", "aud": [])"), audience);
  EXPECT_EQ(fault(R"("iss": "https://a.test", "aud": [["chat"]])"), audience);
  EXPECT_EQ(fault(R"("iss": "https://a.test", "aud": {"chat": 1})"), audience);
}

TEST(JwtToken, ClaimsBecomeTextOnlyWhereItCannotBeTakenForAnother) {
  const auto json = Json::parse(
      R"({"text": "a b", "number": 1.50, "yes": true, "list": ["a", 7], "empty": [],
          "comma": ["a,b"], "blank": [" a"], "nested": [["a"]], "object": {}, "null": null})");
  ASSERT_TRUE(json);
  const auto text = [&](std::string_view name) {
    return text_of(*json, *json->member(json->root(), name));
  };
  EXPECT_EQ(text("text"), "a b");
  EXPECT_EQ(text("number"), "1.50");
  EXPECT_EQ(text("yes"), "true");
  EXPECT_EQ(text("list"), "a,7");
  EXPECT_EQ(text("empty"), "");
  for (const std::string_view name : {"comma", "blank", "nested", "object", "null"}) {
    EXPECT_EQ(text(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace jwt
