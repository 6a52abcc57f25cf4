// The frame scanner: what it passes on, where it stops, and what it tells meanwhile.
#include "proto/ws/scanner.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proto/every_split.hh"
#include "tests/proto/ws/frame_bytes.hh"

namespace {

using proto::Bytes;
using ws::FrameScanner;
using ws::Sender;
using ws::Violation;
using ws_test::Buffer;
using ws_test::frame;
using ws_test::hex;
using ws_test::text;
using namespace ws_test;  // operators of Buffer

// Feeds `received` and appends what is passed on; returns the number of pieces.
std::size_t feed(FrameScanner& scanner, Bytes received, Buffer& passed) {
  std::size_t pieces = 0;
  scanner.feed(received);
  while (const auto piece = scanner.next()) {
    EXPECT_FALSE(piece->bytes.empty());
    passed += piece->bytes;
    ++pieces;
  }
  return pieces;
}

// A conversation with each kind of frame: 10 frames, 4 messages, 66266 bytes of payload.
Buffer conversation(Sender sender) {
  return frame(sender, 0x81, "hello") + frame(sender, 0x89, "ping") + frame(sender, 0x82, "") +
         frame(sender, 0x02, std::string(126, 'a')) + frame(sender, 0x8a, "") +
         frame(sender, 0x00, "") + frame(sender, 0x89, std::string(125, 'p')) +
         frame(sender, 0x80, std::string(600, 'b')) + frame(sender, 0x82, std::string(65535, 'c')) +
         frame(sender, 0x8a, "x");
}

TEST(WsFrameScanner, PassesOnAWholeBufferAsOnePiece) {
  for (const Sender sender : {Sender::kClient, Sender::kServer}) {
    const Buffer bytes = conversation(sender);
    FrameScanner scanner(sender);
    scanner.feed(bytes);
    const auto piece = scanner.next();
    ASSERT_TRUE(piece.has_value());
    EXPECT_EQ(piece->bytes.data(), bytes.data());
    EXPECT_EQ(piece->bytes.size(), bytes.size());
    EXPECT_FALSE(scanner.next().has_value());
    EXPECT_EQ(scanner.frames(), 10u);
    EXPECT_EQ(scanner.messages(), 4u);
    EXPECT_EQ(scanner.payload_bytes(), 66266u);
    EXPECT_TRUE(scanner.at_frame_boundary());
    EXPECT_FALSE(scanner.message_open());
    EXPECT_FALSE(scanner.violation().has_value());
  }
}

TEST(WsFrameScanner, CountsCompressedMessagesWhereThatIsWhatTheirBitSays) {
  for (const Sender sender : {Sender::kClient, Sender::kServer}) {
    const Buffer plain = frame(sender, 0x81, "plain") + frame(sender, 0x02, "pl") +
                         frame(sender, 0x80, "ain") + frame(sender, 0x89, "ping");
    const Buffer whole = frame(sender, 0xc1, "deflated") + frame(sender, 0x42, "defl") +
                         frame(sender, 0x8a, "pong") + frame(sender, 0x00, "at") +
                         frame(sender, 0x80, "ed") + frame(sender, 0xc2, "");
    const Buffer open = plain + whole + plain + frame(sender, 0x41, "not at its end");
    const auto count = [&](const ws::ScanRules& rules) {
      FrameScanner scanner(sender, rules);
      Buffer passed;
      feed(scanner, open, passed);
      EXPECT_EQ(passed, open);
      EXPECT_EQ(scanner.messages(), 7u);
      return scanner.compressed_messages();
    };
    EXPECT_EQ(count({.rsv_allowed = ws::kRsv1}), 4u) << "and the one that goes on";
    EXPECT_EQ(count({.rsv_allowed = ws::kAnyRsv}), 0u) << "it may be another extension's";
    EXPECT_EQ(count({.validation = ws::Validation::kOff}), 0u) << "nobody has agreed on it";
    EXPECT_EQ(count({.rsv_allowed = ws::kRsv1, .validation = ws::Validation::kOff}), 4u);
  }
}

TEST(WsFrameScanner, PassesOnEachByteUnchangedHoweverTheStreamIsCut) {
  for (const Sender sender : {Sender::kClient, Sender::kServer}) {
    const Buffer bytes = frame(sender, 0x01, "he") + frame(sender, 0x89, "ping") +
                         frame(sender, 0x80, std::string(126, 'a')) + frame(sender, 0x82, "") +
                         frame(sender, 0x88, "\x03\xe8late");
    const auto expect_all = [&](const FrameScanner& scanner, const Buffer& passed) {
      EXPECT_EQ(passed, bytes);
      EXPECT_EQ(scanner.frames(), 5u);
      EXPECT_EQ(scanner.messages(), 2u);
      EXPECT_EQ(scanner.payload_bytes(), 128u);
      ASSERT_TRUE(scanner.close_seen().has_value());
      EXPECT_EQ(scanner.close_seen()->code, 1000);
      EXPECT_EQ(scanner.close_seen()->reason(), "late");
    };
    for_every_split(bytes, [&](Bytes first, Bytes second) {
      FrameScanner scanner(sender);
      Buffer passed;
      EXPECT_LE(feed(scanner, first, passed), 1u);
      EXPECT_LE(feed(scanner, second, passed), 2u);  // a held one, and the rest
      expect_all(scanner, passed);
    });
    FrameScanner scanner(sender);
    Buffer passed;
    for_each_byte(bytes, [&](Bytes part) { feed(scanner, part, passed); });
    expect_all(scanner, passed);
  }
}

TEST(WsFrameScanner, HoldsNothingButACutHeaderOrControlFrame) {
  const Buffer ping = frame(Sender::kClient, 0x89, std::string(125, 'p'));
  const Buffer data = frame(Sender::kClient, 0x82, std::string(70000, 'd'));
  for (const auto& [bytes, passed_at] : {std::pair{ping, ping.size()}, std::pair{data, 14ul}}) {
    FrameScanner scanner(Sender::kClient);
    Buffer passed;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      feed(scanner, Bytes(bytes).subspan(i, 1), passed);
      ASSERT_EQ(passed.size(), i + 1 < passed_at ? 0 : i + 1);
      ASSERT_EQ(scanner.at_frame_boundary(), i + 1 < passed_at || i + 1 == bytes.size());
    }
  }
}

TEST(WsFrameScanner, PassesOnExactlyWhatCameBeforeAViolation) {
  struct Case {
    std::string name;
    Sender sender;
    Buffer valid;
    Buffer rest;
    Violation violation;
  };
  constexpr Sender kClient = Sender::kClient;
  constexpr Sender kServer = Sender::kServer;
  const Buffer hello = frame(kClient, 0x81, "hello");
  const Case cases[] = {
      {"unmasked frame", kClient, hello, frame(kServer, 0x81, "hello"), Violation::kUnmaskedFrame},
      {"masked frame", kServer, frame(kServer, 0x81, "a"), hello, Violation::kMaskedFrame},
      {"continuation of nothing", kClient, hello, frame(kClient, 0x80, "x"),
       Violation::kUnexpectedContinuation},
      {"message in a message", kClient, frame(kClient, 0x01, "x") + frame(kClient, 0x89, ""),
       frame(kClient, 0x81, "x"), Violation::kMissingContinuation},
      {"continuation behind the last", kClient,
       frame(kClient, 0x01, "x") + frame(kClient, 0x80, "x"), frame(kClient, 0x80, "x"),
       Violation::kUnexpectedContinuation},
      {"reserved bit", kClient, hello + hello, frame(kClient, 0xc1, "x"), Violation::kReservedBit},
      {"reserved opcode", kClient, {}, frame(kClient, 0x83, "x"), Violation::kReservedOpcode},
      {"cut ping", kClient, hello, frame(kClient, 0x09, "x"), Violation::kFragmentedControl},
      {"long pong",
       kServer,
       {},
       frame(kServer, 0x8a, std::string(126, 'x')),
       Violation::kLongControl},
      {"long form", kServer, frame(kServer, 0x82, ""), hex("82 7e 00 01 61"),
       Violation::kLengthNotMinimal},
      {"negative length", kServer, frame(kServer, 0x82, ""), hex("82 7f 80 00 00 00 00 00 00 00"),
       Violation::kLengthTooLarge},
      {"close of one byte", kClient, hello, frame(kClient, 0x88, "\x03"),
       Violation::kClosePayloadLength},
      {"close with 1005", kClient, hello, frame(kClient, 0x88, "\x03\xed"), Violation::kCloseCode},
      {"close with bad text", kServer, frame(kServer, 0x81, "x"),
       frame(kServer, 0x88, "\x03\xe8\xff"), Violation::kCloseReason},
  };
  for (const Case& c : cases) {
    const Buffer bytes = c.valid + c.rest + frame(c.sender, 0x82, "behind it");
    const auto expect_end = [&](const FrameScanner& scanner, const Buffer& passed) {
      EXPECT_EQ(text(passed), text(c.valid)) << c.name;
      ASSERT_TRUE(scanner.violation().has_value()) << c.name;
      EXPECT_EQ(*scanner.violation(), c.violation) << c.name;
      EXPECT_FALSE(scanner.close_seen().has_value()) << c.name;
      EXPECT_TRUE(scanner.at_frame_boundary()) << c.name;
    };
    for_every_split(bytes, [&](Bytes first, Bytes second) {
      FrameScanner scanner(c.sender);
      Buffer passed;
      feed(scanner, first, passed);
      feed(scanner, second, passed);
      expect_end(scanner, passed);
    });
    FrameScanner scanner(c.sender);
    Buffer passed;
    for_each_byte(bytes, [&](Bytes part) { feed(scanner, part, passed); });
    expect_end(scanner, passed);
  }
}

TEST(WsFrameScanner, DropsWhatFollowsAClose) {
  for (const Sender sender : {Sender::kClient, Sender::kServer}) {
    const Buffer close = frame(sender, 0x88, "");
    const Buffer bytes = close + frame(sender, 0x81, "late") + hex("ff ff ff ff");
    for_every_split(bytes, [&](Bytes first, Bytes second) {
      FrameScanner scanner(sender);
      Buffer passed;
      feed(scanner, first, passed);
      feed(scanner, second, passed);
      EXPECT_EQ(passed, close);
      EXPECT_FALSE(scanner.violation().has_value());
      ASSERT_TRUE(scanner.close_seen().has_value());
      EXPECT_EQ(scanner.close_seen()->code, ws::kCloseNoStatus);
      EXPECT_EQ(scanner.close_seen()->reason(), "");
      EXPECT_EQ(scanner.frames(), 1u);
    });
  }
}

TEST(WsFrameScanner, ReadsTheCloseOfAClientAndPassesItOnMasked) {
  const std::string reason(ws::kCloseReasonBytesMax, 'r');
  const Buffer close = frame(Sender::kClient, 0x88, "\x0f\xa0" + reason);
  FrameScanner scanner(Sender::kClient);
  Buffer passed;
  feed(scanner, frame(Sender::kClient, 0x01, "in a message") + close, passed);
  EXPECT_EQ(passed, frame(Sender::kClient, 0x01, "in a message") + close);
  ASSERT_TRUE(scanner.close_seen().has_value());
  EXPECT_EQ(scanner.close_seen()->code, 4000);
  EXPECT_EQ(scanner.close_seen()->reason(), reason);
  EXPECT_TRUE(scanner.message_open());
}

TEST(WsFrameScanner, FollowsTheLongestPayloadThatCanBeAnnounced) {
  FrameScanner scanner(Sender::kServer);
  Buffer passed;
  const Buffer header = hex("82 7f 7f ff ff ff ff ff ff ff");
  feed(scanner, header, passed);
  const Buffer payload(100000, std::byte{0xff});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(feed(scanner, payload, passed), 1u);
  EXPECT_EQ(passed.size(), header.size() + 10 * payload.size());
  EXPECT_EQ(scanner.payload_bytes(), 10 * payload.size());
  EXPECT_FALSE(scanner.at_frame_boundary());
  EXPECT_TRUE(scanner.message_open());
}

TEST(WsFrameScanner, TellsWhereAFrameOfOurOwnFits) {
  struct Step {
    std::string bytes;
    bool at_frame_boundary;
    bool message_open;
  };
  const Step steps[] = {
      {"01", true, false},        // a byte of a header, held
      {"02", false, true},        // the header of a fragment
      {"61", false, true},        // half of it
      {"61", true, true},         // all of it: between fragments
      {"89 01", true, true},      // a ping's header, held
      {"70", true, true},         // the ping
      {"80 01", false, true},     // the last fragment's header
      {"61", true, false},        // the message's end
      {"82 00 82", true, false},  // an empty message and a byte
  };
  FrameScanner scanner(Sender::kServer);
  Buffer passed;
  for (const Step& step : steps) {
    feed(scanner, hex(step.bytes), passed);
    EXPECT_EQ(scanner.at_frame_boundary(), step.at_frame_boundary) << step.bytes;
    EXPECT_EQ(scanner.message_open(), step.message_open) << step.bytes;
  }
  EXPECT_EQ(scanner.messages(), 2u);
}

TEST(WsFrameScanner, StopsAtTheBoundaryBehindEachByte) {
  const Buffer first = frame(Sender::kClient, 0x81, "first message");
  const Buffer ping = frame(Sender::kClient, 0x89, "ping");
  const Buffer last = frame(Sender::kClient, 0x82, "last");
  const Buffer bytes = first + ping + last;
  for (std::size_t asked_at = 0; asked_at <= bytes.size(); ++asked_at) {
    FrameScanner scanner(Sender::kClient);
    Buffer passed;
    feed(scanner, Bytes(bytes).first(asked_at), passed);
    scanner.stop_at_boundary();
    const bool at_once = scanner.at_frame_boundary();
    EXPECT_EQ(scanner.stopped(), at_once);
    const std::size_t passed_before = passed.size();
    feed(scanner, Bytes(bytes).subspan(asked_at), passed);
    EXPECT_TRUE(scanner.stopped());
    const Buffer one_frame = asked_at < first.size() ? first : bytes;
    EXPECT_EQ(passed.size(), at_once ? passed_before : one_frame.size()) << asked_at;

    scanner.resume();  // nothing is lost by a stop
    EXPECT_FALSE(scanner.stopped());
    while (const auto piece = scanner.next()) passed += piece->bytes;
    EXPECT_EQ(passed, bytes) << asked_at;
    EXPECT_EQ(scanner.frames(), 3u);
  }
}

TEST(WsFrameScanner, DropsForGoodWhatWasLeftWhenItStopped) {
  const Buffer bytes = frame(Sender::kServer, 0x81, "kept") + frame(Sender::kServer, 0x81, "left");
  FrameScanner scanner(Sender::kServer);
  Buffer passed;
  feed(scanner, Bytes(bytes).first(3), passed);
  scanner.stop_at_boundary();
  feed(scanner, Bytes(bytes).subspan(3), passed);
  EXPECT_EQ(feed(scanner, frame(Sender::kServer, 0x81, "more"), passed), 0u);
  scanner.resume();
  EXPECT_EQ(feed(scanner, frame(Sender::kServer, 0x81, "more"), passed), 0u);
  EXPECT_EQ(passed, frame(Sender::kServer, 0x81, "kept"));
  EXPECT_FALSE(scanner.violation().has_value());
}

TEST(WsFrameScanner, PermitsABitThatWasNegotiated) {
  FrameScanner scanner(Sender::kServer, {.rsv_allowed = ws::kRsv1});
  Buffer passed;
  const Buffer valid = frame(Sender::kServer, 0x41, "zip") + frame(Sender::kServer, 0x80, "ped");
  feed(scanner, valid, passed);
  EXPECT_EQ(passed, valid);
  EXPECT_EQ(feed(scanner, frame(Sender::kServer, 0xc9, "x"), passed), 0u);
  EXPECT_EQ(scanner.violation(), Violation::kReservedBit);
}

TEST(WsFrameScanner, PermitsAnUnknownExtensionItsBitsOnAnyDataFrame) {
  FrameScanner scanner(Sender::kServer, {.rsv_allowed = ws::kAnyRsv});
  Buffer passed;
  // Nor is its text to be one.
  const Buffer valid = frame(Sender::kServer, 0x51, "\xff") + frame(Sender::kServer, 0xf0, "\xff") +
                       frame(Sender::kServer, 0x81, "\xff");
  feed(scanner, valid, passed);
  EXPECT_EQ(passed, valid);
  EXPECT_EQ(feed(scanner, frame(Sender::kServer, 0xa9, "x"), passed), 0u);
  EXPECT_EQ(scanner.violation(), Violation::kReservedBit);
}

TEST(WsFrameScanner, IgnoresAnEmptyFeed) {
  FrameScanner scanner(Sender::kServer);
  Buffer passed;
  EXPECT_EQ(feed(scanner, {}, passed), 0u);
  EXPECT_EQ(feed(scanner, hex("82"), passed), 0u);
  EXPECT_EQ(feed(scanner, {}, passed), 0u);
  EXPECT_EQ(feed(scanner, hex("01 61"), passed), 2u);
  EXPECT_EQ(passed, hex("82 01 61"));
}

}  // namespace
