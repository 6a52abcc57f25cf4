// The message reader: messages out of frames, unmasked, however they are cut.
#include "proto/ws/message_reader.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proto/every_split.hh"
#include "tests/proto/ws/frame_bytes.hh"

namespace {

using proto::Bytes;
using ws::MessageReader;
using ws::Sender;
using ws::Violation;
using ws_test::Buffer;
using ws_test::frame;
using namespace ws_test;  // operators of Buffer
using Kind = ws::Event::Kind;

// A message or control frame, put together from its events.
struct Item {
  Kind kind;
  std::string payload;
  bool compressed = false;

  bool operator==(const Item&) const = default;
};

void PrintTo(const Item& item, std::ostream* stream) {
  *stream << static_cast<int>(item.kind) << ":" << item.payload.substr(0, 40);
}

class Assembler {
 public:
  explicit Assembler(Sender sender) : reader(sender) {}

  void feed(Bytes received) {
    Buffer copy(received.begin(), received.end());
    reader.feed(copy);
    while (const auto event = reader.next()) take(*event);
  }

  MessageReader reader;
  std::vector<Item> items;

 private:
  void take(const ws::Event& event) {
    const std::string payload = text(event.payload);
    if (event.kind != Kind::kText && event.kind != Kind::kBinary) {
      items.push_back({event.kind, payload});
      return;
    }
    EXPECT_EQ(event.first, !open_);
    EXPECT_FALSE(payload.empty() && !event.last);
    if (event.first) message_ = {event.kind, "", event.compressed};
    EXPECT_EQ(event.kind, message_.kind);
    EXPECT_EQ(event.compressed, message_.compressed);
    message_.payload += payload;
    open_ = !event.last;
    if (event.last) items.push_back(message_);
  }

  Item message_ = {};
  bool open_ = false;
};

TEST(WsMessageReader, YieldsMessagesHoweverTheStreamIsCut) {
  for (const Sender sender : {Sender::kClient, Sender::kServer}) {
    const Buffer bytes = frame(sender, 0x81, "hello") + frame(sender, 0x82, "") +
                         frame(sender, 0x01, "") + frame(sender, 0x89, "ping") +
                         frame(sender, 0x00, "frag") + frame(sender, 0x8a, "") +
                         frame(sender, 0x00, "ment") + frame(sender, 0x80, "") +
                         frame(sender, 0x82, std::string(300, 'b')) +
                         frame(sender, 0x88,
                               "\x03\xe9"
                               "bye") +
                         frame(sender, 0x81, "late");
    const std::vector<Item> expected = {{Kind::kText, "hello"},
                                        {Kind::kBinary, ""},
                                        {Kind::kPing, "ping"},
                                        {Kind::kPong, ""},
                                        {Kind::kText, "fragment"},
                                        {Kind::kBinary, std::string(300, 'b')},
                                        {Kind::kClose,
                                         "\x03\xe9"
                                         "bye"}};
    const auto expect_all = [&](const Assembler& assembler) {
      EXPECT_EQ(assembler.items, expected);
      ASSERT_TRUE(assembler.reader.close_seen().has_value());
      EXPECT_EQ(assembler.reader.close_seen()->code, 1001);
      EXPECT_EQ(assembler.reader.close_seen()->reason(), "bye");
      EXPECT_FALSE(assembler.reader.violation().has_value());
    };
    for_every_split(bytes, [&](Bytes first, Bytes second) {
      Assembler assembler(sender);
      assembler.feed(first);
      assembler.feed(second);
      expect_all(assembler);
    });
    Assembler assembler(sender);
    for_each_byte(bytes, [&](Bytes part) { assembler.feed(part); });
    expect_all(assembler);
  }
}

TEST(WsMessageReader, TellsWhichMessagesAreCompressed) {
  const Buffer bytes = frame(Sender::kServer, 0x41, "frag") + frame(Sender::kServer, 0x89, "ping") +
                       frame(Sender::kServer, 0x80, "ment") + frame(Sender::kServer, 0x82, "plain");
  const std::vector<Item> expected = {
      {Kind::kPing, "ping"}, {Kind::kText, "fragment", true}, {Kind::kBinary, "plain"}};
  for_every_split(bytes, [&](Bytes first, Bytes second) {
    Assembler assembler(Sender::kServer);
    assembler.reader.allow_compressed();
    assembler.feed(first);
    assembler.feed(second);
    EXPECT_EQ(assembler.items, expected);
    EXPECT_FALSE(assembler.reader.violation().has_value());
  });
}

TEST(WsMessageReader, TakesTheBitOfCompressionOnFirstFramesOnly) {
  for (const Buffer& bad : {frame(Sender::kServer, 0x21, "") + frame(Sender::kServer, 0x80, ""),
                            frame(Sender::kServer, 0x01, "") + frame(Sender::kServer, 0xc0, ""),
                            frame(Sender::kServer, 0xc9, "")}) {
    Assembler assembler(Sender::kServer);
    assembler.reader.allow_compressed();
    assembler.feed(bad);
    EXPECT_EQ(assembler.reader.violation(), Violation::kReservedBit);
    EXPECT_TRUE(assembler.items.empty());
  }
}

TEST(WsMessageReader, YieldsAWholeMessageInPlace) {
  Buffer bytes = frame(Sender::kClient, 0x82, std::string(1000, 'm'));
  MessageReader reader(Sender::kClient);
  reader.feed(bytes);
  const auto event = reader.next();
  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(event->first && event->last);
  EXPECT_EQ(event->payload.data(), bytes.data() + 8);
  EXPECT_EQ(text(event->payload), std::string(1000, 'm'));
  EXPECT_FALSE(reader.next().has_value());
}

TEST(WsMessageReader, EndsAtAViolation) {
  struct Case {
    std::string name;
    Buffer bad;
    Violation violation;
  };
  const Case cases[] = {
      {"unmasked", frame(Sender::kServer, 0x81, "x"), Violation::kUnmaskedFrame},
      {"reserved bit", frame(Sender::kClient, 0xc1, "x"), Violation::kReservedBit},
      {"continuation", frame(Sender::kClient, 0x80, "x"), Violation::kUnexpectedContinuation},
      {"close code", frame(Sender::kClient, 0x88, "\x03\xed"), Violation::kCloseCode},
      {"close reason", frame(Sender::kClient, 0x88, "\x03\xe8\xff"), Violation::kCloseReason},
  };
  for (const Case& c : cases) {
    const Buffer bytes = frame(Sender::kClient, 0x81, "good") + c.bad + c.bad;
    for_every_split(bytes, [&](Bytes first, Bytes second) {
      Assembler assembler(Sender::kClient);
      assembler.feed(first);
      assembler.feed(second);
      EXPECT_EQ(assembler.items, (std::vector<Item>{{Kind::kText, "good"}})) << c.name;
      EXPECT_EQ(assembler.reader.violation(), c.violation) << c.name;
      EXPECT_FALSE(assembler.reader.close_seen().has_value()) << c.name;
    });
  }
}

}  // namespace
