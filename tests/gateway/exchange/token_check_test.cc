// Which token of a request counts, and what becomes of its claims.
#include "gateway/exchange/token_check.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/rewrite/heads.hh"
#include "tests/proto/jwt/signed.hh"

namespace gateway {
namespace {

using Kind = config::TokenSource::Kind;

constexpr std::int64_t kNow = 1'800'000'000;

config::JwtAuth demanded() {
  config::JwtAuth jwt;
  jwt.rules.keys = {{jwt::Algorithm::kHs256, "", jwt::kSecret, ""}};
  jwt.from = {{}, {Kind::cookie, "session"}, {Kind::query, "t"}};
  return jwt;
}

std::expected<TokenGrant, TokenRefusal> check(const std::string& target, const std::string& fields,
                                              const config::JwtAuth& jwt = demanded()) {
  const std::string text = "GET " + target + " HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n";
  const http::RequestHead head = forward_test::parse_request(text);
  const auto token = find_token(head, proto::as_bytes(text), jwt);
  if (!token) return std::unexpected(token.error());
  return judge_token(*token, jwt, kNow);
}

// 0: it passes.
int status_of(const std::string& target, const std::string& fields,
              const config::JwtAuth& jwt = demanded()) {
  const auto checked = check(target, fields, jwt);
  return checked ? 0 : checked.error().status;
}

TEST(TokenCheck, LooksWhereItIsToldTo) {
  const std::string token = jwt::sign(R"({"exp": 1900000000})");
  EXPECT_EQ(status_of("/", "Authorization: Bearer " + token + "\r\n"), 0);
  EXPECT_EQ(status_of("/", "Cookie: a=b; session=" + token + "\r\n"), 0);
  EXPECT_EQ(status_of("/?t=" + token, ""), 0);
  config::JwtAuth one = demanded();
  one.from = {{}};
  EXPECT_EQ(status_of("/", "Cookie: session=" + token + "\r\n", one), 401);
  EXPECT_EQ(status_of("/?t=" + token, "", one), 401);
  EXPECT_EQ(status_of("/", "", one), 401);
  // What is not looked at does not count.
  EXPECT_EQ(status_of("/?t=x", "Authorization: Bearer " + token + "\r\n", one), 0);
}

TEST(TokenCheck, SeveralAreRefusedUnlessTheyAreOne) {
  const std::string token = jwt::sign(R"({"exp": 1900000000})");
  const std::string bearer = "Authorization: Bearer " + token + "\r\n";
  EXPECT_EQ(status_of("/?t=" + token, bearer), 0);
  EXPECT_EQ(status_of("/?t=" + token + "x", bearer), 400);
  EXPECT_EQ(status_of("/", bearer + bearer), 400);
  EXPECT_EQ(status_of("/", bearer + "Cookie: session=\r\n"), 400);
  const auto refused = check("/?t=1&t=2", "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kUnauthorized);
  EXPECT_EQ(refused.error().challenge,
            "Bearer error=\"invalid_request\", error_description=\"the request has more than one "
            "token\"");
}

TEST(TokenCheck, ClaimsThatAreNoValuesOfHeadersRefuseTheToken) {
  config::JwtAuth jwt = demanded();
  jwt.claims = {{{"sub", {"sub"}}, "X-User"}};
  const auto of = [&](const std::string& sub) {
    return check(
        "/",
        "Authorization: Bearer " + jwt::sign(R"({"exp": 1900000000, "sub": )" + sub + "}") + "\r\n",
        jwt);
  };
  EXPECT_THAT(of(R"("\u00e4 b")")->headers,
              testing::ElementsAre(config::Header{"X-User", "\xc3\xa4 b"}));
  EXPECT_THAT(of("null")->headers, testing::IsEmpty());
  for (const std::string sub : {R"("a\r\nX-Admin: 1")", R"("a\u0000")", R"("a\n")", R"(" a")",
                                R"("a\t")", R"("\u007f")", R"({"a": 1})", R"(["a,b"])"}) {
    const auto refused = of(sub);
    ASSERT_FALSE(refused) << sub;
    EXPECT_EQ(refused.error().status, 401) << sub;
  }
}

TEST(TokenCheck, DemandsAreMetByOneOfTheValues) {
  config::JwtAuth jwt = demanded();
  jwt.require = {{{"role", {"role"}}, {"a", "b"}}};
  const auto status = [&](const std::string& role) {
    return status_of("/",
                     "Authorization: Bearer " +
                         jwt::sign(R"({"exp": 1900000000, "role": )" + role + "}") + "\r\n",
                     jwt);
  };
  EXPECT_EQ(status(R"("a")"), 0);
  EXPECT_EQ(status(R"(["x", "b"])"), 0);
  for (const std::string role :
       {R"("c")", R"("")", R"([])", R"([["a"]])", R"({"a": true})", "null"}) {
    EXPECT_EQ(status(role), 403) << role;
  }
}

}  // namespace
}  // namespace gateway
