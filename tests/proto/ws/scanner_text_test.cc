// What a frame scanner finds beyond headers: text that is not UTF-8, and what is too large.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "proto/ws/scanner.hh"
#include "tests/proto/every_split.hh"
#include "tests/proto/ws/frame_bytes.hh"

namespace {

using proto::Bytes;
using ws::FrameScanner;
using ws::ScanRules;
using ws::Sender;
using ws::Validation;
using ws::Violation;
using ws_test::Buffer;
using ws_test::frame;
using ws_test::hex;
using namespace ws_test;  // operators of Buffer

constexpr Sender kBoth[] = {Sender::kClient, Sender::kServer};

void feed(FrameScanner& scanner, Bytes received, Buffer& passed) {
  scanner.feed(received);
  while (const auto piece = scanner.next()) {
    EXPECT_FALSE(piece->bytes.empty());
    passed += piece->bytes;
  }
}

// Calls expect(scanner, passed) for the bytes in two parts, at each place, and one by one.
template <class Expect>
void scan_each_way(Sender sender, const ScanRules& rules, const Buffer& bytes, Expect expect) {
  for_every_split(bytes, [&](Bytes first, Bytes second) {
    FrameScanner scanner(sender, rules);
    Buffer passed;
    feed(scanner, first, passed);
    feed(scanner, second, passed);
    expect(scanner, passed);
  });
  FrameScanner scanner(sender, rules);
  Buffer passed;
  for_each_byte(bytes, [&](Bytes part) { feed(scanner, part, passed); });
  expect(scanner, passed);
}

std::string bytes_of(std::string_view digits) {
  return ws_test::text(hex(digits));
}

const std::string kLong(200, 'a');
const std::string kEmoji = "\xf0\x9f\x98\x80";

// Frames by their first byte and payload. The last one is in violation at byte `at` of its payload,
// counted as it is passed on; `kHeader`: nothing of it is.
constexpr std::size_t kHeader = SIZE_MAX;
struct Part {
  unsigned first;
  std::string payload;
};
struct Case {
  std::string name;
  std::vector<Part> frames;
  std::size_t at;
};

const Case kTexts[] = {
    {"not a lead", {{0x81, bytes_of("61 80 61")}}, 1},
    {"at once", {{0x81, bytes_of("ff")}}, 0},
    {"overlong", {{0x81, bytes_of("e0 80 80")}}, 1},
    {"surrogate", {{0x81, kLong + bytes_of("ed a0 80") + kLong}}, 201},
    {"behind a character", {{0x81, kLong + kEmoji + bytes_of("f4 90 80 80")}}, 205},
    {"in the last block", {{0x81, std::string(1000, 'a') + bytes_of("c3")}}, 1000},
    {"cut at the end", {{0x81, bytes_of("61 e2 82")}}, 2},
    {"cut at the end of one byte", {{0x81, bytes_of("e2")}}, 0},
    {"in the second message", {{0x81, kEmoji}, {0x81, bytes_of("61 62 80")}}, 2},
    {"behind binary data", {{0x82, bytes_of("ff fe")}, {0x81, bytes_of("61 fe")}}, 1},
    {"in a fragment", {{0x01, bytes_of("61 c3")}, {0x80, bytes_of("a4 80")}}, 1},
    {"at the border of fragments", {{0x01, bytes_of("61 c3")}, {0x00, bytes_of("61")}}, 0},
    {"behind a ping", {{0x01, bytes_of("61 c3")}, {0x89, bytes_of("ff")}, {0x80, "a"}}, 0},
    {"behind empty fragments",
     {{0x01, ""}, {0x00, bytes_of("f0 9f")}, {0x00, ""}, {0x00, bytes_of("98 98 98")}},
     2},
    {"cut at the end of fragments", {{0x01, bytes_of("61")}, {0x80, bytes_of("f0 9f 98")}}, 2},
    {"cut, and nothing comes", {{0x01, bytes_of("61 e2 82")}, {0x80, ""}}, kHeader},
    {"cut, a ping, and nothing comes", {{0x01, bytes_of("c3")}, {0x8a, "x"}, {0x80, ""}}, kHeader},
};

TEST(WsScannerText, PassesOnNothingFromTheFirstInvalidByteOn) {
  for (const Sender sender : kBoth) {
    for (const Case& c : kTexts) {
      SCOPED_TRACE(c.name);
      Buffer bytes;
      std::size_t last_at = 0;
      for (const Part& part : c.frames) {
        last_at = bytes.size();
        bytes += Bytes(frame(sender, part.first, part.payload));
      }
      const std::size_t header_bytes = bytes.size() - last_at - c.frames.back().payload.size();
      const std::size_t bad = last_at + (c.at == kHeader ? 0 : header_bytes + c.at);
      const Buffer all = bytes + frame(sender, 0x81, "behind it");
      scan_each_way(sender, {}, all, [&](const FrameScanner& scanner, const Buffer& passed) {
        ASSERT_EQ(passed, Buffer(bytes.begin(), bytes.begin() + bad));
        const auto broken = scanner.broken_rule();
        ASSERT_TRUE(broken.has_value());
        EXPECT_EQ(broken->violation, Violation::kInvalidUtf8);
        EXPECT_EQ(scanner.violation(), Violation::kInvalidUtf8);
        EXPECT_EQ(broken->offset, bad);
        EXPECT_EQ(broken->frame, c.frames.size());
        EXPECT_EQ(scanner.at_frame_boundary(), c.at == kHeader);
        EXPECT_TRUE(scanner.message_open());
        EXPECT_FALSE(scanner.stopped());
      });
      for (const Validation validation : {Validation::kHeaders, Validation::kOff}) {
        const ScanRules rules = {.validation = validation};
        scan_each_way(sender, rules, all, [&](const FrameScanner& scanner, const Buffer& passed) {
          ASSERT_GE(passed.size(), bytes.size());
          ASSERT_NE(scanner.violation(), Violation::kInvalidUtf8);
        });
      }
    }
  }
}

TEST(WsScannerText, PassesOnWhatIsValidOrNoPlainText) {
  const ScanRules rules = {.rsv_allowed = ws::kRsv1};
  for (const Sender sender : kBoth) {
    const Buffer bytes = frame(sender, 0x81, kLong + kEmoji) + frame(sender, 0x01, "\xf0") +
                         frame(sender, 0x89, "\xff") + frame(sender, 0x00, "") +
                         frame(sender, 0x00, "\x9f\x98") + frame(sender, 0x8a, "") +
                         frame(sender, 0x80, "\x80 and more") + frame(sender, 0x02, "\xff\xfe") +
                         frame(sender, 0x80, "\x80") + frame(sender, 0xc1, "\xff\xfe") +
                         frame(sender, 0x41, "\xf0") + frame(sender, 0x80, "\xf0") +
                         frame(sender, 0x81, "") + frame(sender, 0x01, "\xe2\x82\xac") +
                         frame(sender, 0x80, "") +
                         frame(sender, 0x81, std::string(70000, 'a') + kEmoji);
    std::size_t messages = 0;
    FrameScanner scanner(sender, rules);
    Buffer passed;
    feed(scanner, bytes, passed);
    EXPECT_EQ(passed, bytes);
    messages = scanner.messages();
    EXPECT_EQ(messages, 8u);
    for (std::size_t part = 1; part < 200; part += 1 + part / 8) {
      FrameScanner cut(sender, rules);
      Buffer got;
      for (std::size_t at = 0; at < bytes.size(); at += part) {
        const Buffer copy(bytes.begin() + at, bytes.begin() + std::min(at + part, bytes.size()));
        feed(cut, copy, got);
      }
      EXPECT_EQ(got, bytes) << part;
      EXPECT_EQ(cut.messages(), messages);
      EXPECT_FALSE(cut.broken_rule().has_value());
    }
  }
}

TEST(WsScannerText, MayBeStoppedBeforeAFrameOfTheMessage) {
  const Buffer bytes = frame(Sender::kClient, 0x01, "\xc3") + frame(Sender::kClient, 0x80, "\xa4");
  FrameScanner scanner(Sender::kClient);
  Buffer passed;
  scanner.stop_at_boundary();
  feed(scanner, bytes, passed);
  EXPECT_TRUE(passed.empty());
  scanner.resume();
  while (const auto piece = scanner.next()) passed += piece->bytes;
  EXPECT_EQ(passed, bytes);
}

// Where rules of headers and closes are broken.
TEST(WsScannerText, TellsWhereAFrameIsThatBreaksARule) {
  for (const Sender sender : kBoth) {
    const Buffer valid = frame(sender, 0x81, "hello") + frame(sender, 0x89, "");
    const std::pair<Buffer, Violation> cases[] = {
        {frame(sender, 0x83, "x"), Violation::kReservedOpcode},
        {frame(sender, 0x80, "x"), Violation::kUnexpectedContinuation},
        {frame(sender, 0x88, "\x03"), Violation::kClosePayloadLength},
        {frame(sender, 0x88, "\x03\xe8" + std::string(60, 'r') + "\xff"), Violation::kCloseReason},
    };
    for (const auto& [bad, violation] : cases) {
      const Buffer bytes = valid + bad + frame(sender, 0x81, "behind it");
      scan_each_way(sender, {}, bytes, [&](const FrameScanner& scanner, const Buffer& passed) {
        ASSERT_EQ(passed, valid);
        ASSERT_TRUE(scanner.broken_rule().has_value());
        EXPECT_EQ(scanner.broken_rule()->violation, violation);
        EXPECT_EQ(scanner.broken_rule()->offset, valid.size());
        EXPECT_EQ(scanner.broken_rule()->frame, 3u);
      });
    }
  }
}

struct Limit {
  std::string name;
  std::uint32_t frame_max;
  std::uint32_t message_max;
  std::vector<std::pair<unsigned, std::size_t>> frames;  // first byte, payload bytes
  std::optional<Violation> violation;                    // of the last one
};

const Limit kLimits[] = {
    {"any", 0, 0, {{0x82, 70000}, {0x02, 300}, {0x80, 300}}, {}},
    {"a frame as large as may be", 10, 0, {{0x82, 10}, {0x02, 10}, {0x00, 10}, {0x80, 10}}, {}},
    {"a frame above", 10, 0, {{0x82, 10}, {0x82, 11}}, Violation::kFrameTooLarge},
    {"a later frame above", 10, 0, {{0x02, 1}, {0x00, 11}}, Violation::kFrameTooLarge},
    {"no control frame", 10, 10, {{0x82, 10}, {0x89, 125}, {0x8a, 11}}, {}},
    {"a message as large as may be",
     0,
     300,
     {{0x82, 300}, {0x02, 299}, {0x80, 1}, {0x82, 300}},
     {}},
    {"a message above", 0, 300, {{0x82, 301}}, Violation::kMessageTooLarge},
    {"its frames together",
     0,
     300,
     {{0x02, 299}, {0x89, 9}, {0x00, 1}, {0x80, 1}},
     Violation::kMessageTooLarge},
    {"its last frame alone", 0, 300, {{0x02, 0}, {0x80, 301}}, Violation::kMessageTooLarge},
    {"text", 0, 4, {{0x01, 3}, {0x00, 2}}, Violation::kMessageTooLarge},
    {"many frames of a message", 10, 25, {{0x02, 10}, {0x00, 10}, {0x00, 5}, {0x80, 0}}, {}},
    {"frames that may be, of a message that may not",
     10,
     25,
     {{0x02, 10}, {0x00, 10}, {0x80, 6}},
     Violation::kMessageTooLarge},
    {"a frame above, of a message above",
     10,
     25,
     {{0x02, 10}, {0x00, 16}},
     Violation::kFrameTooLarge},
    {"compressed", 0, 10, {{0xc1, 10}, {0xc1, 11}}, Violation::kMessageTooLarge},
};

TEST(WsScannerText, StopsBeforeTheHeaderThatDeclaresTooMuch) {
  for (const Validation validation : {Validation::kFull, Validation::kHeaders, Validation::kOff}) {
    for (const Sender sender : kBoth) {
      for (const Limit& limit : kLimits) {
        SCOPED_TRACE(limit.name);
        const ScanRules rules = {.rsv_allowed = ws::kRsv1,
                                 .validation = validation,
                                 .frame_bytes_max = limit.frame_max,
                                 .message_bytes_max = limit.message_max};
        Buffer bytes;
        std::size_t last_at = 0;
        for (const auto& [first, size] : limit.frames) {
          last_at = bytes.size();
          bytes += Bytes(frame(sender, first, std::string(size, 'x')));
        }
        if (limit.violation) {
          // Of the last frame nothing but the header has to come.
          bytes.resize(last_at +
                       ws::check_header(Bytes(bytes).subspan(last_at), {.lax = true}).header_bytes);
        }
        const auto expect = [&](const FrameScanner& scanner, const Buffer& passed) {
          ASSERT_EQ(scanner.violation(), limit.violation);
          ASSERT_EQ(passed.size(), limit.violation ? last_at : bytes.size());
          if (!limit.violation) return;
          EXPECT_EQ(scanner.broken_rule()->offset, last_at);
          EXPECT_EQ(scanner.broken_rule()->frame, limit.frames.size());
        };
        if (bytes.size() < 5000) {
          scan_each_way(sender, rules, bytes, expect);
        } else {
          FrameScanner scanner(sender, rules);
          Buffer passed;
          feed(scanner, bytes, passed);
          expect(scanner, passed);
        }
      }
    }
  }
}

TEST(WsScannerText, CountsAMessageOfAnySize) {
  FrameScanner scanner(Sender::kServer, {.message_bytes_max = ws::kBytesMaxMax});
  Buffer passed;
  feed(scanner, hex("02 7f 00 00 00 00 80 00 00 01"), passed);  // 2 GiB and a byte
  EXPECT_EQ(scanner.violation(), Violation::kMessageTooLarge);
  EXPECT_TRUE(passed.empty());

  FrameScanner unlimited(Sender::kServer, {});
  feed(unlimited, hex("02 7f 7f ff ff ff ff ff ff ff"), passed);
  EXPECT_FALSE(unlimited.violation().has_value());
  EXPECT_EQ(passed.size(), 10u);
}

// Each rule that nobody enforces then: the frame passes, and the one behind it is found.
TEST(WsScannerText, PassesOnWhatBreaksARuleWhereValidationIsOff) {
  const Buffer cases[] = {
      frame(Sender::kServer, 0x81, "unmasked"),
      frame(Sender::kClient, 0x81, "masked"),
      frame(Sender::kClient, 0xf1, "all bits"),
      frame(Sender::kClient, 0x83, "an opcode that nobody knows"),
      frame(Sender::kClient, 0x8b, "a control frame that nobody knows"),
      frame(Sender::kClient, 0x09, "a fragmented ping"),
      frame(Sender::kClient, 0x8a, std::string(126, 'x')),
      frame(Sender::kServer, 0x89, std::string(70000, 'x')),
      frame(Sender::kServer, 0x88, std::string(126, 'x')),
      hex("89 fe 00 7d 01 02 03 04") + Buffer(125, std::byte{'p'}),
      hex("8a ff 00 00 00 00 00 00 00 7d 01 02 03 04") + Buffer(125, std::byte{'p'}),
      hex("89 7f 00 00 00 00 00 00 00 7d") + Buffer(125, std::byte{'p'}),
      frame(Sender::kClient, 0x80, "a continuation of nothing"),
      frame(Sender::kClient, 0x01, "a message") + frame(Sender::kClient, 0x81, "in another"),
      hex("82 fe 00 01 01 02 03 04 61"),
      hex("82 7f 00 00 00 00 00 00 00 01 61"),
      frame(Sender::kClient, 0x81, "\xff\xfe"),
  };
  const ScanRules rules = {.validation = Validation::kOff};
  for (const Sender sender : kBoth) {
    for (const Buffer& odd : cases) {
      const Buffer close = frame(sender, 0x88, "\x0f\xa0 bye");
      const Buffer bytes = odd + frame(sender, 0x81, "behind it") + close;
      const auto expect = [&](const FrameScanner& scanner, const Buffer& passed) {
        ASSERT_EQ(passed, bytes);
        ASSERT_TRUE(scanner.close_seen().has_value());
        EXPECT_EQ(scanner.close_seen()->code, 4000);
        EXPECT_TRUE(scanner.at_frame_boundary());
      };
      if (bytes.size() < 5000) {
        scan_each_way(sender, rules, bytes + hex("81"), expect);
      } else {
        FrameScanner scanner(sender, rules);
        Buffer passed;
        feed(scanner, bytes, passed);
        expect(scanner, passed);
      }
    }
  }
}

TEST(WsScannerText, TakesAnyCloseFrameForTheLastFrameWhereValidationIsOff) {
  struct Closing {
    std::string payload;
    std::uint16_t code;
    std::string reason;
  };
  const Closing closings[] = {{"", ws::kCloseNoStatus, ""},
                              {"\x03", ws::kCloseNoStatus, ""},
                              {"\x03\xed", 1005, ""},
                              {std::string("\x00\x01", 2), 1, ""},
                              {"\x03\xe8\xff", 1000, "\xff"},
                              {"\x03\xe8" + std::string(123, 'r'), 1000, std::string(123, 'r')}};
  for (const Sender sender : kBoth) {
    for (const Closing& closing : closings) {
      const Buffer close = frame(sender, 0x88, closing.payload);
      const Buffer bytes = close + frame(sender, 0x81, "late");
      scan_each_way(sender, {.validation = Validation::kOff}, bytes,
                    [&](const FrameScanner& scanner, const Buffer& passed) {
                      ASSERT_EQ(passed, close);
                      ASSERT_TRUE(scanner.close_seen().has_value());
                      EXPECT_EQ(scanner.close_seen()->code, closing.code);
                      EXPECT_EQ(scanner.close_seen()->reason(), closing.reason);
                    });
    }
  }
}

// At its longest it is longer than one that keeps the rules.
TEST(WsScannerText, HoldsACloseFrameWhoseLengthIsWrittenLongWhereValidationIsOff) {
  const Buffer close =
      hex("88 ff 00 00 00 00 00 00 00 7d 00 00 00 00 0f a0") + Buffer(123, std::byte{'r'});
  scan_each_way(Sender::kClient, {.validation = Validation::kOff}, close + hex("81"),
                [&](const FrameScanner& scanner, const Buffer& passed) {
                  ASSERT_EQ(passed, close);
                  ASSERT_TRUE(scanner.close_seen().has_value());
                });
}

TEST(WsScannerText, FollowsNoLengthAbove63BitsWhereValidationIsOff) {
  FrameScanner scanner(Sender::kServer, {.validation = Validation::kOff});
  Buffer passed;
  feed(scanner, hex("82 01 61 82 7f 80 00 00 00 00 00 00 00 61"), passed);
  EXPECT_EQ(passed, hex("82 01 61"));
  EXPECT_EQ(scanner.violation(), Violation::kLengthTooLarge);
}

}  // namespace
