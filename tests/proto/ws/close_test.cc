// Close payloads: which codes and reasons pass, and that what we build is what we accept.
#include "proto/ws/close.hh"

#include <gtest/gtest.h>

#include <string>

#include "tests/proto/ws/frame_bytes.hh"

namespace {

using ws::Sender;
using ws::Violation;
using ws_test::frame;
using ws_test::hex;
using ws_test::text;

TEST(WsClose, KnowsTheCodesThatMayBeSent) {
  for (unsigned code = 0; code <= 0xffff; ++code) {
    const bool valid =
        (code >= 3000 && code < 5000) ||
        (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006);
    ASSERT_EQ(ws::is_valid_close_code(static_cast<std::uint16_t>(code)), valid) << code;
  }
}

TEST(WsClose, ReadsPayloads) {
  struct Case {
    std::string name;
    std::string payload;
    std::uint16_t code;
    std::string reason;
  };
  const Case cases[] = {
      {"empty", "", ws::kCloseNoStatus, ""},
      {"code alone", "03 e8", 1000, ""},
      {"code and reason", "03 e9 62 79 65", 1001, "bye"},
      {"private code", "13 87", 4999, ""},
      {"reason in UTF-8", "03 e8 c3 a4", 1000, "\xc3\xa4"},
  };
  for (const Case& c : cases) {
    const auto close = ws::parse_close(hex(c.payload));
    ASSERT_TRUE(close.has_value()) << c.name;
    EXPECT_EQ(close->code, c.code) << c.name;
    EXPECT_EQ(close->reason(), c.reason) << c.name;
  }
  const std::string longest = "\x03\xe8" + std::string(ws::kCloseReasonBytesMax, 'r');
  const auto close = ws::parse_close(proto::as_bytes(longest));
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->reason(), longest.substr(2));
}

TEST(WsClose, RefusesPayloads) {
  struct Case {
    std::string name;
    std::string payload;
    Violation violation;
  };
  const Case cases[] = {
      {"one byte", "03", Violation::kClosePayloadLength},
      {"code 0", "00 00", Violation::kCloseCode},
      {"code 999", "03 e7", Violation::kCloseCode},
      {"code 1005", "03 ed", Violation::kCloseCode},
      {"code 1006", "03 ee 62", Violation::kCloseCode},
      {"code 1015", "03 f7", Violation::kCloseCode},
      {"code 5000", "13 88", Violation::kCloseCode},
      {"overlong reason", "03 e8 c0 80", Violation::kCloseReason},
      {"reason that is cut", "03 e8 61 e2 82", Violation::kCloseReason},
  };
  for (const Case& c : cases) {
    const auto close = ws::parse_close(hex(c.payload));
    ASSERT_FALSE(close.has_value()) << c.name;
    EXPECT_EQ(close.error(), c.violation) << c.name;
  }
}

TEST(WsClose, BuildsFramesForBothRoles) {
  ws::MaskKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(ws_test::kMask[i]);
  const auto payload = proto::as_bytes("are you there");
  const std::string close_payload = "\x03\xe9leaving";
  const auto expect = [](const ws::ControlFrame& built, const ws_test::Buffer& expected) {
    EXPECT_EQ(text(built.bytes()), text(expected));
  };
  expect(ws::make_ping(payload), frame(Sender::kServer, 0x89, "are you there"));
  expect(ws::make_ping(payload, key), frame(Sender::kClient, 0x89, "are you there"));
  expect(ws::make_ping(), frame(Sender::kServer, 0x89, ""));
  expect(ws::make_pong(payload), frame(Sender::kServer, 0x8a, "are you there"));
  expect(ws::make_pong(payload, key), frame(Sender::kClient, 0x8a, "are you there"));
  expect(ws::make_close(1001, "leaving"), frame(Sender::kServer, 0x88, close_payload));
  expect(ws::make_close(1001, "leaving", key), frame(Sender::kClient, 0x88, close_payload));
  expect(ws::make_close(ws::kCloseNoStatus), frame(Sender::kServer, 0x88, ""));
  const std::string longest(ws::kControlPayloadBytesMax, 'p');
  expect(ws::make_ping(proto::as_bytes(longest), key), frame(Sender::kClient, 0x89, longest));
}

TEST(WsClose, CutsALongReasonBetweenCharacters) {
  for (std::size_t ascii = 0; ascii < 130; ++ascii) {
    std::string reason(ascii, 'a');
    while (reason.size() < 200) reason += "\xe2\x82\xac";
    const auto built = ws::make_close(1000, reason);
    const auto close = ws::parse_close(built.bytes().subspan(2));
    ASSERT_TRUE(close.has_value()) << ascii;
    EXPECT_TRUE(reason.starts_with(close->reason()));
    EXPECT_GT(close->reason().size() + 3, ws::kCloseReasonBytesMax) << ascii;
  }
}

}  // namespace
