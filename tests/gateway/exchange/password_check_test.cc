// Whom a request says it is from, by its Authorization field alone.
#include "gateway/exchange/password_check.hh"

#include <gtest/gtest.h>

#include "tests/gateway/rewrite/heads.hh"

namespace gateway {
namespace {

const config::BasicAuth& demanded() {
  static const config::BasicAuth basic{.users_path = "",
                                       .users = {{"alice", "A"}, {"bob", "B"}},
                                       .realm = "here",
                                       .user_header = ""};
  return basic;
}

std::expected<Credentials, PasswordRefusal> find(const std::string& fields) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n";
  const http::RequestHead head = forward_test::parse_request(text);
  return find_credentials(head, proto::as_bytes(text), demanded());
}

TEST(PasswordCheck, FindsUserAndPassword) {
  // "bob:a:b", "bob:", "\xc3\xa4:\xc3\xb6".
  const auto bob = find("Authorization: Basic Ym9iOmE6Yg==\r\n");
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->user, "bob");
  EXPECT_EQ(bob->password, "a:b");
  EXPECT_EQ(bob->entry.hash, "B");
  EXPECT_TRUE(bob->is_known);
  EXPECT_EQ(find("Authorization: basic   Ym9iOg==\r\n")->password, "");
  const auto stranger = find("Authorization: Basic w6Q6w7Y=\r\n");
  EXPECT_EQ(stranger->user, "\xc3\xa4");
  EXPECT_EQ(stranger->entry.hash, "A");
  EXPECT_FALSE(stranger->is_known);
}

TEST(PasswordCheck, RefusesWhatIsNone) {
  const auto status = [](const std::string& fields) {
    const auto found = find(fields);
    return found ? 0 : found.error().status;
  };
  EXPECT_EQ(status(""), 401);
  for (const std::string value :
       {"", "Basic", "Bearer Ym9iOg==", "Basic Ym9iOg", "Basic Ym9iOg=", "Basic Ym9iOg===",
        "Basic Ym9i", "Basic Ym9iOh==", "Basic =", "Basic ====", "Basic Ym9iOg== x",
        "Basic Ym9i-g==", "Basic Ym9iOgA=", "Basic Ym9iOgo=", "Basic Ym9iOn8=", "BasicYm9iOg=="}) {
    EXPECT_EQ(status("Authorization: " + value + "\r\n"), 401) << value;
  }
  EXPECT_EQ(status("Authorization: Basic " + std::string(1028, 'A') + "\r\n"), 401);
  EXPECT_EQ(status("Authorization: Basic Ym9iOg==\r\nAuthorization: Basic Ym9iOg==\r\n"), 400);
}

TEST(PasswordCheck, ChallengesWithTheRealm) {
  EXPECT_EQ(basic_challenge(demanded()), "Basic realm=\"here\", charset=\"UTF-8\"");
}

}  // namespace
}  // namespace gateway
