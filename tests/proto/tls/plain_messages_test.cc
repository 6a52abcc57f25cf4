// Handshake messages out of records of any size: every split, every fragmentation, and what is
// refused.
#include "proto/tls/plain_messages.hh"

#include <gtest/gtest.h>

#include <span>

#include "tests/proto/tls/hellos.hh"

namespace tls::test {
namespace {

using Expected = PlainMessages::Expected;
using Status = PlainMessages::Status;

// Exactly so many bytes of memory, for the sanitizer.
std::vector<std::byte> exact(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST(PlainMessages, ComeOutOfEveryFragmentationAsOneRecord) {
  const std::string hello = hello13();
  for (std::size_t size = 1; size <= hello.size(); ++size) {
    PlainMessages messages;
    const std::string records = in_records(hello, size);
    for (std::size_t at = 0; at + 1 < records.size(); ++at) {
      proto::Bytes byte = proto::as_bytes(records).subspan(at, 1);
      ASSERT_EQ(messages.take(byte, Expected::kHello), Status::kIncomplete) << size << " " << at;
      ASSERT_TRUE(byte.empty());
      ASSERT_LE(messages.held(), at + 1);
    }
    const std::string rest = records.substr(records.size() - 1) + "more";
    proto::Bytes bytes = proto::as_bytes(rest);
    ASSERT_EQ(messages.take(bytes, Expected::kHello), Status::kMessage) << size;
    EXPECT_EQ(proto::as_text(bytes), "more");
    EXPECT_EQ(proto::as_text(messages.message()), hello);
    EXPECT_EQ(proto::as_text(messages.record()), in_records(hello));
    messages.release();
    EXPECT_TRUE(messages.idle());
    EXPECT_EQ(messages.held(), 0u);
  }
}

TEST(PlainMessages, ComeInTwoPiecesSplitAnywhere) {
  for (const std::size_t size : {std::size_t{16384}, std::size_t{40}}) {
    const std::string records = in_records(hello13(), size);
    for (std::size_t split = 0; split < records.size(); ++split) {
      PlainMessages messages;
      const auto first = exact(records.substr(0, split));
      const auto second = exact(records.substr(split));
      proto::Bytes bytes = first;
      ASSERT_EQ(messages.take(bytes, Expected::kHello), Status::kIncomplete);
      bytes = second;
      ASSERT_EQ(messages.take(bytes, Expected::kHello), Status::kMessage) << split;
      ASSERT_EQ(proto::as_text(messages.message()), hello13());
    }
  }
}

TEST(PlainMessages, OfOneRecordAreNotCopied) {
  const std::string records = in_records(hello13());
  PlainMessages messages;
  proto::Bytes bytes = proto::as_bytes(records);
  const std::byte* const first = bytes.data();
  ASSERT_EQ(messages.take(bytes, Expected::kHello), Status::kMessage);
  EXPECT_EQ(messages.record().data(), first);
}

TEST(PlainMessages, ComeSeveralInARecord) {
  const std::string one = "\x10" + vector(3, "key"), two = "\x0f" + vector(3, "verify");
  for (std::size_t size = 1; size <= one.size() + two.size(); ++size) {
    const std::string records = in_records(one + two, size);
    PlainMessages messages;
    proto::Bytes bytes = proto::as_bytes(records);
    for (const std::string& wanted : {one, two}) {
      ASSERT_EQ(messages.take(bytes, Expected::kMessage), Status::kMessage) << size;
      EXPECT_EQ(proto::as_text(messages.message()), wanted);
      messages.release();
    }
    EXPECT_TRUE(bytes.empty() && messages.idle()) << size;
  }
}

TEST(PlainMessages, MayBeAsLongAsARecord) {
  const std::string longest = padded_hello13(PlainMessages::kMessageMax);
  for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{16384}}) {
    const std::string records = in_records(longest, size);
    PlainMessages messages;
    proto::Bytes bytes = proto::as_bytes(records);
    ASSERT_EQ(messages.take(bytes, Expected::kHello), Status::kMessage) << size;
    EXPECT_EQ(proto::as_text(messages.message()), longest);
  }
}

// What is held is what has come, whatever the message says of its size.
TEST(PlainMessages, HoldLittleOfAMessageThatNeverEnds) {
  const std::string records =
      in_records("\x01" + number(PlainMessages::kMessageMax - 4, 3) + std::string(16379, 'x'), 1);
  PlainMessages messages;
  proto::Bytes bytes = proto::as_bytes(records);
  ASSERT_EQ(messages.take(bytes, Expected::kHello), Status::kIncomplete);
  EXPECT_EQ(messages.held(), PlainMessages::kMessageMax - 1);
}

TEST(PlainMessages, SkipChangesOfCipherBeforeTheSecondHello) {
  const std::string records = record(20, "\x01") + record(20, "\x01") + in_records(hello13(), 5);
  PlainMessages messages;
  proto::Bytes bytes = proto::as_bytes(records);
  ASSERT_EQ(messages.take(bytes, Expected::kHelloAgain), Status::kMessage);
  EXPECT_EQ(proto::as_text(messages.message()), hello13());
}

TEST(PlainMessages, AreReplacedByAnAlert) {
  for (const Expected expected : {Expected::kHello, Expected::kHelloAgain, Expected::kAlert}) {
    const std::string records = record(21, "\x02\x30");
    for (std::size_t split = 0; split < records.size(); ++split) {
      PlainMessages messages;
      proto::Bytes bytes = proto::as_bytes(records).first(split);
      ASSERT_EQ(messages.take(bytes, expected), Status::kIncomplete);
      bytes = proto::as_bytes(records).subspan(split);
      ASSERT_EQ(messages.take(bytes, expected), Status::kAlert);
      EXPECT_EQ(messages.alert(), 48);
    }
  }
}

TEST(PlainMessages, AreRefusedWithTheAlertThatTheRfcNames) {
  using enum AlertCode;
  const std::string part = in_records(hello13()).substr(5, 50);
  const struct {
    const char* name;
    std::string bytes;
    AlertCode alert;
    const char* reason;
    Expected expected = Expected::kHello;
  } cases[] = {
      {"zeros", std::string(5, '\0'), kUnexpectedMessage, "not TLS"},
      {"version 2", "\x80\x2e", kUnexpectedMessage, "not TLS"},
      {"small letters", "get /", kUnexpectedMessage, "not TLS"},
      {"another major version", "\x16\x04", kProtocolVersion, "not TLS"},
      {"an empty record", record(22, ""), kUnexpectedMessage, "empty record"},
      {"an empty record within", record(22, part) + record(22, ""), kUnexpectedMessage,
       "empty record"},
      {"a long record", "\x16\x03\x01" + number(16385, 2), kRecordOverflow, "record too long"},
      {"data first", "\x17", kUnexpectedMessage, "not a ClientHello"},
      {"a change of cipher first", "\x14", kUnexpectedMessage, "not a ClientHello"},
      {"an alert within", record(22, part) + "\x15", kUnexpectedMessage,
       "a record within a message"},
      {"data within", record(22, part) + "\x17", kUnexpectedMessage, "a record within a message"},
      {"another message", record(22, "\x02"), kUnexpectedMessage, "not a ClientHello"},
      {"an empty alert", record(21, ""), kDecodeError, "malformed alert"},
      {"a long alert", record(21, "\x02\x30x"), kDecodeError, "malformed alert"},
      {"a long hello", record(22, "\x01" + number(16381, 3)), kDecodeError, "ClientHello too long"},
      {"more behind the hello", record(22, hello13() + "x"), kUnexpectedMessage,
       "more in the record behind the ClientHello"},
      {"a long message", record(22, "\x10" + number(16381, 3)), kDecodeError,
       "handshake message too long", Expected::kMessage},
      {"a bad change of cipher", record(20, "\x02"), kUnexpectedMessage,
       "malformed change_cipher_spec", Expected::kHelloAgain},
      {"a long change of cipher", record(20, "\x01\x01"), kUnexpectedMessage,
       "malformed change_cipher_spec", Expected::kHelloAgain},
      {"a change of cipher within", record(22, part) + record(20, "\x01"), kUnexpectedMessage,
       "a record within a message", Expected::kHelloAgain},
  };
  for (const auto& each : cases) {
    for (const std::size_t piece : {each.bytes.size(), std::size_t{1}}) {
      PlainMessages messages;
      Status status = Status::kIncomplete;
      const auto all = exact(each.bytes);
      for (std::size_t at = 0; at < all.size() && status == Status::kIncomplete; at += piece) {
        proto::Bytes bytes = proto::Bytes(all).subspan(at, piece);
        status = messages.take(bytes, each.expected);
      }
      ASSERT_EQ(status, Status::kRefused) << each.name;
      EXPECT_EQ(messages.refusal().alert, each.alert) << each.name;
      EXPECT_EQ(messages.refusal().reason, each.reason) << each.name;
    }
  }
}

}  // namespace
}  // namespace tls::test
