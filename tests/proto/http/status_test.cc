#include "proto/http/status.hh"

#include <gtest/gtest.h>

namespace {

TEST(Status, HasItsPhrase) {
  EXPECT_EQ(http::status_reason(100), "Continue");
  EXPECT_EQ(http::status_reason(101), "Switching Protocols");
  EXPECT_EQ(http::status_reason(200), "OK");
  EXPECT_EQ(http::status_reason(400), "Bad Request");
  EXPECT_EQ(http::status_reason(426), "Upgrade Required");
  EXPECT_EQ(http::status_reason(431), "Request Header Fields Too Large");
  EXPECT_EQ(http::status_reason(502), "Bad Gateway");
  EXPECT_EQ(http::status_reason(511), "Network Authentication Required");
}

TEST(Status, WithoutAPhraseIsUnknown) {
  EXPECT_EQ(http::status_reason(0), "Unknown");
  EXPECT_EQ(http::status_reason(299), "Unknown");
  EXPECT_EQ(http::status_reason(512), "Unknown");
  EXPECT_EQ(http::status_reason(65535), "Unknown");
}

}  // namespace
