#include "proto/jwt/base64url.hh"

#include <gtest/gtest.h>

namespace jwt {
namespace {

TEST(Base64url, DecodesWhatStandsForBytes) {
  struct Case {
    std::string_view text;
    std::string bytes;
  };
  // RFC 4648 section 10 without the padding, and RFC 7515 appendix C.
  const Case cases[] = {{"", ""},
                        {"Zg", "f"},
                        {"Zm8", "fo"},
                        {"Zm9v", "foo"},
                        {"Zm9vYg", "foob"},
                        {"Zm9vYmE", "fooba"},
                        {"Zm9vYmFy", "foobar"},
                        {"A-z_4ME", "\x03\xec\xff\xe0\xc1"}};
  for (const Case& one : cases) EXPECT_EQ(base64url_decode(one.text), one.bytes) << one.text;
}

TEST(Base64url, RefusesWhatIsSpeltInAnotherWay) {
  for (const std::string_view text :
       {"Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm 9v", "Zm9v\n", "Zm9\xc3"}) {
    EXPECT_FALSE(base64url_decode(text)) << text;
  }
  EXPECT_FALSE(base64url_decode(std::string_view("Zm\0v", 4)));
}

}  // namespace
}  // namespace jwt
