// What is read of a request's head for the choice of a server.
#include "gateway/exchange/affinity.hh"

#include "tests/gateway/rewrite/heads.hh"

namespace gateway {
namespace {

using forward_test::parse_request;

std::string request(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(lines) + "\r\n";
}

TEST(ClientSecurity, IsWhatATrustedProxySays) {
  struct Case {
    bool secure;
    bool trusted;
    std::string_view lines;
    bool expected;
  };
  for (const Case& one : {
           Case{true, false, "X-Forwarded-Proto: http\r\n", true},
           Case{false, false, "X-Forwarded-Proto: https\r\n", false},
           Case{false, true, "X-Forwarded-Proto: https\r\n", true},
           Case{false, true, "X-Forwarded-Proto: https, http\r\n", true},
           Case{false, true, "X-Forwarded-Proto: http\r\nX-Forwarded-Proto: HTTPS\r\n", true},
           Case{false, true, "X-Forwarded-Proto: httpsx\r\n", false},
           Case{false, true, "", false},
       }) {
    const std::string text = request(one.lines);
    EXPECT_EQ(
        is_secure_for_client(parse_request(text), proto::as_bytes(text), one.secure, one.trusted),
        one.expected)
        << one.lines;
  }
}

TEST(StickyCookieText, HasItsAttributes) {
  using std::chrono::hours;
  EXPECT_EQ(sticky_cookie({}, "ab", false), "gateway=ab; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(sticky_cookie({"x", config::SameSite::none, hours(1)}, "ab", true),
            "x=ab; Path=/; HttpOnly; SameSite=None; Secure; Max-Age=3600");
}

}  // namespace
}  // namespace gateway
