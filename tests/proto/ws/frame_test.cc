// The frame header: RFC 6455's examples, each rule and the byte that breaks it, round trips, masks.
#include "proto/ws/frame.hh"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/proto/ws/frame_bytes.hh"

namespace {

using ws::Opcode;
using ws::Sender;
using ws::Violation;
using ws_test::hex;
using State = ws::ParsedHeader::State;

// For assertions that compare headers.
void expect_header(const ws::FrameHeader& header, const ws::FrameHeader& expected,
                   const std::string& name) {
  EXPECT_EQ(header.fin, expected.fin) << name;
  EXPECT_EQ(header.rsv, expected.rsv) << name;
  EXPECT_EQ(header.opcode, expected.opcode) << name;
  EXPECT_EQ(header.masked, expected.masked) << name;
  EXPECT_EQ(header.mask_key, expected.mask_key) << name;
  EXPECT_EQ(header.payload_bytes, expected.payload_bytes) << name;
}

constexpr ws::MaskKey kRfcKey = {std::byte{0x37}, std::byte{0xfa}, std::byte{0x21},
                                 std::byte{0x3d}};

TEST(WsFrame, ReadsTheExamplesOfTheRfc) {  // section 5.7
  struct Case {
    std::string name;
    std::string bytes;
    ws::HeaderRules rules;
    std::size_t header_bytes;
    ws::FrameHeader expected;
  };
  const Case cases[] = {
      {"unmasked text",
       "81 05 48 65 6c 6c 6f",
       {.sender = Sender::kServer},
       2,
       {.opcode = Opcode::kText, .payload_bytes = 5}},
      {"masked text",
       "81 85 37 fa 21 3d 7f 9f 4d 51 58",
       {},
       6,
       {.opcode = Opcode::kText, .masked = true, .mask_key = kRfcKey, .payload_bytes = 5}},
      {"first fragment",
       "01 03 48 65 6c",
       {.sender = Sender::kServer},
       2,
       {.fin = false, .opcode = Opcode::kText, .payload_bytes = 3}},
      {"last fragment",
       "80 02 6c 6f",
       {.sender = Sender::kServer, .message_open = true},
       2,
       {.opcode = Opcode::kContinuation, .payload_bytes = 2}},
      {"ping",
       "89 05 48 65 6c 6c 6f",
       {.sender = Sender::kServer},
       2,
       {.opcode = Opcode::kPing, .payload_bytes = 5}},
      {"masked pong",
       "8a 85 37 fa 21 3d 7f 9f 4d 51 58",
       {},
       6,
       {.opcode = Opcode::kPong, .masked = true, .mask_key = kRfcKey, .payload_bytes = 5}},
      {"256 bytes", "82 7e 01 00", {.sender = Sender::kServer}, 4, {.payload_bytes = 256}},
      {"64 KiB",
       "82 7f 00 00 00 00 00 01 00 00",
       {.sender = Sender::kServer},
       10,
       {.payload_bytes = 65536}},
  };
  for (const Case& c : cases) {
    const auto bytes = hex(c.bytes);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const std::vector<std::byte> prefix(bytes.begin(), bytes.begin() + size);
      const auto parsed = ws::parse_header(prefix, c.rules);
      if (size < c.header_bytes) {
        EXPECT_EQ(parsed.state, State::kIncomplete) << c.name << ", first " << size;
        continue;
      }
      ASSERT_EQ(parsed.state, State::kComplete) << c.name << ", first " << size;
      EXPECT_EQ(parsed.header_bytes, c.header_bytes) << c.name;
      expect_header(parsed.header, c.expected, c.name);
    }
  }
}

TEST(WsFrame, RefusesAtTheByteThatBreaksARule) {
  struct Case {
    std::string name;
    std::string bytes;
    ws::HeaderRules rules;
    std::size_t told_after;
    Violation violation;
  };
  constexpr ws::HeaderRules kServer = {.sender = Sender::kServer};
  constexpr ws::HeaderRules kOpen = {.message_open = true};
  constexpr ws::HeaderRules kRsv1 = {.rsv_allowed = ws::kRsv1};
  constexpr ws::HeaderRules kRsv1Open = {.rsv_allowed = ws::kRsv1, .message_open = true};
  constexpr ws::HeaderRules kAnyRsv = {.rsv_allowed = ws::kAnyRsv};
  const Case cases[] = {
      {"RSV1", "c2 80", {}, 1, Violation::kReservedBit},
      {"RSV2", "a2 80", {}, 1, Violation::kReservedBit},
      {"RSV3", "92 80", {}, 1, Violation::kReservedBit},
      {"RSV1 and RSV2, one allowed", "e2 80", kRsv1, 1, Violation::kReservedBit},
      {"allowed RSV1 on a continuation", "c0 80", kRsv1Open, 1, Violation::kReservedBit},
      {"allowed RSV1 on a ping", "c9 80", kRsv1, 1, Violation::kReservedBit},
      {"any bit on a ping", "d9 80", kAnyRsv, 1, Violation::kReservedBit},
      {"opcode 3", "83 80", {}, 1, Violation::kReservedOpcode},
      {"opcode 7", "87 80", {}, 1, Violation::kReservedOpcode},
      {"opcode 11", "8b 80", {}, 1, Violation::kReservedOpcode},
      {"opcode 15", "8f 80", {}, 1, Violation::kReservedOpcode},
      {"opcode 3 without FIN", "03 80", {}, 1, Violation::kReservedOpcode},
      {"opcode 11 without FIN", "0b 80", {}, 1, Violation::kReservedOpcode},
      {"close without FIN", "08 80", {}, 1, Violation::kFragmentedControl},
      {"ping without FIN", "09 80", {}, 1, Violation::kFragmentedControl},
      {"pong without FIN in a message", "0a 80", kOpen, 1, Violation::kFragmentedControl},
      {"continuation first", "80 80", {}, 1, Violation::kUnexpectedContinuation},
      {"continuation without FIN first", "00 80", {}, 1, Violation::kUnexpectedContinuation},
      {"text in a message", "81 80", kOpen, 1, Violation::kMissingContinuation},
      {"binary without FIN in a message", "02 80", kOpen, 1, Violation::kMissingContinuation},
      {"client without mask", "82 05", {}, 2, Violation::kUnmaskedFrame},
      {"client's close without mask", "88 00", {}, 2, Violation::kUnmaskedFrame},
      {"server with mask", "82 85", kServer, 2, Violation::kMaskedFrame},
      {"ping of 126", "89 fe 00 7e", {}, 2, Violation::kLongControl},
      {"close with a 64-bit length", "88 7f 00 00 00 00 00 00 00 05", kServer, 2,
       Violation::kLongControl},
      {"16 bits for 0", "82 fe 00 00", {}, 4, Violation::kLengthNotMinimal},
      {"16 bits for 125", "82 7e 00 7d", kServer, 4, Violation::kLengthNotMinimal},
      {"64 bits for 125", "82 ff 00 00 00 00 00 00 00 7d", {}, 10, Violation::kLengthNotMinimal},
      {"64 bits for 65535", "82 7f 00 00 00 00 00 00 ff ff", kServer, 10,
       Violation::kLengthNotMinimal},
      {"64th bit", "82 ff 80 00 00 00 00 00 00 00", {}, 10, Violation::kLengthTooLarge},
      {"all bits", "82 7f ff ff ff ff ff ff ff ff", kServer, 10, Violation::kLengthTooLarge},
  };
  for (const Case& c : cases) {
    const auto bytes = hex(c.bytes);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const std::vector<std::byte> prefix(bytes.begin(), bytes.begin() + size);
      const auto parsed = ws::parse_header(prefix, c.rules);
      if (size < c.told_after) {
        EXPECT_EQ(parsed.state, State::kIncomplete) << c.name << ", first " << size;
        continue;
      }
      ASSERT_EQ(parsed.state, State::kViolation) << c.name << ", first " << size;
      EXPECT_EQ(parsed.violation, c.violation) << c.name << ": " << ws::describe(parsed.violation);
    }
  }
}

TEST(WsFrame, PermitsTheBitsOfAnExtensionOnTheFirstFrame) {
  const auto bytes = hex("c1 80 00 00 00 00");
  const auto parsed = ws::parse_header(bytes, {.rsv_allowed = ws::kRsv1});
  ASSERT_EQ(parsed.state, State::kComplete);
  EXPECT_EQ(parsed.header.rsv, ws::kRsv1);
}

TEST(WsFrame, PermitsControlFramesInsideAMessage) {
  for (const unsigned opcode : {8u, 9u, 10u}) {
    const auto bytes = ws_test::frame(Sender::kClient, 0x80 | opcode, "");
    EXPECT_EQ(ws::parse_header(bytes, {.message_open = true}).state, State::kComplete) << opcode;
  }
}

TEST(WsFrame, HeadersReadAsTheyWereWritten) {
  const std::vector<std::pair<std::uint64_t, std::size_t>> kLengths = {
      {0, 2},     {1, 2},      {125, 2},         {126, 4},        {127, 4},
      {65535, 4}, {65536, 10}, {1ull << 32, 10}, {~0ull >> 1, 10}};
  for (const auto& [payload_bytes, unmasked_header_bytes] : kLengths) {
    for (const bool masked : {false, true}) {
      for (const bool fin : {false, true}) {
        const ws::FrameHeader header = {.fin = fin,
                                        .rsv = ws::kRsv1,
                                        .opcode = Opcode::kText,
                                        .masked = masked,
                                        .mask_key = masked ? kRfcKey : ws::MaskKey{},
                                        .payload_bytes = payload_bytes};
        const auto encoded = ws::encode_header(header);
        EXPECT_EQ(encoded.size, unmasked_header_bytes + (masked ? 4 : 0));
        const auto parsed = ws::parse_header(
            encoded.bytes(),
            {.sender = masked ? Sender::kClient : Sender::kServer, .rsv_allowed = ws::kRsv1});
        ASSERT_EQ(parsed.state, State::kComplete) << payload_bytes;
        EXPECT_EQ(parsed.header_bytes, encoded.size);
        expect_header(parsed.header, header, std::to_string(payload_bytes));
      }
    }
  }
}

TEST(WsFrame, WritesControlAndContinuationOpcodes) {
  for (const Opcode opcode : {Opcode::kContinuation, Opcode::kText, Opcode::kBinary, Opcode::kClose,
                              Opcode::kPing, Opcode::kPong}) {
    const auto encoded = ws::encode_header({.opcode = opcode});
    const std::vector<std::byte> expected = {
        static_cast<std::byte>(0x80 | static_cast<std::uint8_t>(opcode)), std::byte{0}};
    EXPECT_EQ(std::vector<std::byte>(encoded.bytes().begin(), encoded.bytes().end()), expected);
  }
}

TEST(WsFrame, MasksLikeTheByteWiseRuleAtAnyOffset) {  // section 5.3
  std::mt19937_64 random(20260101);
  for (std::size_t size = 0; size <= 70; ++size) {
    for (std::uint64_t offset = 0; offset < 9; ++offset) {
      ws::MaskKey key;
      for (auto& byte : key) byte = static_cast<std::byte>(random());
      std::vector<std::byte> payload(size);
      for (auto& byte : payload) byte = static_cast<std::byte>(random());
      auto expected = payload;
      for (std::size_t i = 0; i < size; ++i) expected[i] ^= key[(offset + i) % 4];
      ws::apply_mask(payload, key, offset);
      ASSERT_EQ(payload, expected) << "size " << size << " offset " << offset;
    }
  }
}

TEST(WsFrame, MaskIsContinuedAcrossParts) {
  const std::vector<std::byte> original(1000, std::byte{0x5a});
  auto whole = original;
  ws::apply_mask(whole, kRfcKey);
  auto parts = original;
  std::size_t at = 0;
  for (std::size_t step = 1; at < parts.size(); step = step * 2 + 1) {
    const std::size_t size = std::min(step, parts.size() - at);
    ws::apply_mask(ws::MutableBytes(parts).subspan(at, size), kRfcKey, at);
    at += size;
  }
  EXPECT_EQ(parts, whole);
}

TEST(WsFrame, EachViolationHasACodeATextAndASection) {
  struct Case {
    Violation violation;
    std::uint16_t code;
    std::string section;
  };
  const Case cases[] = {
      {Violation::kReservedBit, 1002, "5.2"},
      {Violation::kReservedOpcode, 1002, "5.2"},
      {Violation::kFragmentedControl, 1002, "5.5"},
      {Violation::kUnexpectedContinuation, 1002, "5.4"},
      {Violation::kMissingContinuation, 1002, "5.4"},
      {Violation::kUnmaskedFrame, 1002, "5.1"},
      {Violation::kMaskedFrame, 1002, "5.1"},
      {Violation::kLongControl, 1002, "5.5"},
      {Violation::kLengthNotMinimal, 1002, "5.2"},
      {Violation::kLengthTooLarge, 1002, "5.2"},
      {Violation::kClosePayloadLength, 1002, "5.5.1"},
      {Violation::kCloseCode, 1002, "7.4"},
      {Violation::kCloseReason, 1007, "5.5.1"},
      {Violation::kInvalidUtf8, 1007, "8.1"},
      {Violation::kFrameTooLarge, 1009, "10.4"},
      {Violation::kMessageTooLarge, 1009, "10.4"},
  };
  EXPECT_EQ(std::size(cases), static_cast<std::size_t>(Violation::kMessageTooLarge) + 1);
  for (const Case& c : cases) {
    EXPECT_EQ(ws::close_code(c.violation), c.code);
    EXPECT_EQ(ws::section_of(c.violation), c.section) << ws::describe(c.violation);
    EXPECT_FALSE(ws::describe(c.violation).empty());
  }
}

// Under lax rules whatever has one meaning passes; its extent goes by its own mask bit.
TEST(WsFrame, MeasuresAnyHeaderUnderLaxRules) {
  struct Case {
    std::string name;
    std::string bytes;
    std::size_t header_bytes;
    std::uint64_t payload_bytes;
  };
  const Case cases[] = {
      {"plain", "81 05", 2, 5},
      {"masked", "81 85 01 02 03 04", 6, 5},
      {"all bits and an opcode that nobody knows", "73 7d", 2, 125},
      {"fragmented ping that is too long", "09 7e 00 7e", 4, 126},
      {"long form of a short length", "82 fe 00 05 01 02 03 04", 8, 5},
      {"longest form of a short length", "82 7f 00 00 00 00 00 00 00 00", 10, 0},
      {"longest length", "82 ff 7f ff ff ff ff ff ff ff 01 02 03 04", 14, ws::kPayloadBytesMax},
  };
  for (const Case& c : cases) {
    const auto bytes = hex(c.bytes);
    for (const Sender sender : {Sender::kClient, Sender::kServer}) {
      const ws::HeaderRules rules = {.sender = sender, .message_open = true, .lax = true};
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_EQ(ws::check_header(ws::Bytes(bytes).first(size), rules).state,
                  ws::HeaderCheck::State::kIncomplete)
            << c.name << ", " << size;
      }
      const ws::HeaderCheck check = ws::check_header(bytes, rules);
      EXPECT_EQ(check.state, ws::HeaderCheck::State::kComplete) << c.name;
      EXPECT_EQ(check.header_bytes, c.header_bytes) << c.name;
      EXPECT_EQ(check.payload_bytes, c.payload_bytes) << c.name;
    }
  }
  const auto endless = ws::check_header(hex("82 7f 80 00 00 00 00 00 00 00"), {.lax = true});
  EXPECT_EQ(endless.state, ws::HeaderCheck::State::kViolation);
  EXPECT_EQ(endless.violation, Violation::kLengthTooLarge);
}

}  // namespace
