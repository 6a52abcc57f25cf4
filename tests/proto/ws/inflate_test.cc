// Payloads of permessage-deflate that are read: the examples of RFC 7692 section 7.2.3, streams cut
// anywhere, outputs of any size, and what hostile peers send.
#include "proto/ws/deflate.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/proto/every_split.hh"
#include "tests/proto/ws/codec_messages.hh"

namespace {

using proto::as_bytes;
using proto::Bytes;
using ws::CodecStep;
using ws::Deflater;
using ws::Inflater;
using ws_test::Buffer;
using ws_test::hex;
using ws_test::json;
using ws_test::kOutputSizes;
using ws_test::random_bytes;
using ws_test::read;
using ws_test::write;
using State = CodecStep::State;

std::string times(std::size_t count, const std::string& part) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += part;
  return text;
}

struct Example {
  std::string name;
  std::string bytes;
  std::string expected;
};

const Example kExamples[] = {
    {"one block, 7.2.3.1", "f2 48 cd c9 c9 07 00", "Hello"},
    {"stored, 7.2.3.3", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"},
    {"final block, 7.2.3.4", "f3 48 cd c9 c9 07 00 00", "Hello"},
    {"two blocks, 7.2.3.5", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"},
    {"empty, 7.2.3.6", "00", ""},
    {"empty and final", "01", ""},
    {"empty blocks", "00 00 00 ff ff 02 00 00 00 ff ff 00", ""},
    {"two final blocks", "f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00", "HelloHello"},
    {"final block, and its bytes again", "f3 48 cd c9 c9 07 00 f2 00 11 00 00", "HelloHello"},
    {"final block that is empty", "03 00 f2 48 cd c9 c9 07 00", "Hello"},
    {"final stored block", "01 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"},
    // zlib's Z_HUFFMAN_ONLY.
    {"dynamic block",
     "04 c1 31 11 00 20 10 03 41 2b 11 c0 20 00 37 97 4f 01 6d fc 17 ec e2 32 04 97 25 5c 86 e0 72 "
     "84 "
     "86 e0 a2 4b 84 5c 5e b6 70 19 82 cb 12 2e 43 70 39 42 43 70 d1 25 42 2e 2f 5b b8 0c c1 65 09 "
     "97 "
     "21 b8 1c a1 21 b8 e8 12 21 97 97 2d 5c 86 e0 b2 84 cb 10 5c 8e d0 10 5c 74 89 90 cb cb d6 07",
     times(4, "abracadabra, abracadabra: a cadabra had a braid. ")},
};

TEST(WsInflater, ReadsWhatTheRfcShowsHoweverItIsCut) {
  for (const Example& example : kExamples) {
    for (const std::size_t output_bytes : kOutputSizes) {
      SCOPED_TRACE(example.name + " into " + std::to_string(output_bytes));
      Inflater inflater(15);
      const Buffer bytes = hex(example.bytes);
      for_every_split(bytes, [&](Bytes first, Bytes second) {
        EXPECT_EQ(read(inflater, {first, second}, output_bytes), example.expected);
      });
      std::vector<Bytes> each;
      for (std::size_t at = 0; at < bytes.size(); ++at) each.push_back(Bytes(bytes).subspan(at, 1));
      EXPECT_EQ(read(inflater, each, output_bytes), example.expected);
    }
  }
}

TEST(WsInflater, KeepsItsWindowUntilItIsReset) {
  for (const std::size_t output_bytes : kOutputSizes) {
    Inflater inflater(9);
    EXPECT_EQ(read(inflater, {hex("f2 48 cd c9 c9 07 00")}, output_bytes), "Hello");
    EXPECT_EQ(read(inflater, {hex("f2 00 11 00 00")}, output_bytes), "Hello");  // 7.2.3.2
    EXPECT_EQ(read(inflater, {hex("00")}, output_bytes), "");
    EXPECT_EQ(read(inflater, {hex("f2 00 11 00 00")}, output_bytes), "Hello");
    inflater.reset();
    EXPECT_EQ(read(inflater, {hex("f2 00 11 00 00")}, output_bytes), "broken");
  }
}

TEST(WsInflater, RefusesWhatIsNoMessageHoweverItIsCut) {
  const Example cases[] = {
      {"nothing", "", ""},
      {"third kind of block", "06 00", ""},
      {"third kind behind a block", "f2 48 cd c9 c9 07 06", ""},
      {"length without its complement", "00 05 00 fa fe 48 65 6c 6c 6f 00", ""},
      {"stored block that is cut", "00 05 00 fa ff 48 65 6c", ""},
      {"stored block that is cut at its end", "00 05 00 fa ff 48 65 6c 6c 6f", ""},
      {"stored block whose bytes would be the tail", "00 04 00 fb ff", ""},
      {"stored block with more than the tail to come", "00 06 00 f9 ff 48", ""},
      {"block that is cut", "f2 48 cd", ""},
      {"block without the last octet", "f2 48 cd c9 c9 07", ""},
      {"final block without one behind it", "f3 48 cd c9 c9 07 00", ""},
      {"dynamic block's header that is cut", "04 c1 31 11 00", ""},
      {"too many codes", "fc ff ff", ""},
      {"distance before the start", "f2 00 11 00 00", ""},
      {"tail that was not taken off", "f2 48 cd c9 c9 07 00 00 00 ff ff", ""},
  };
  for (const Example& c : cases) {
    for (const std::size_t output_bytes : kOutputSizes) {
      SCOPED_TRACE(c.name + " into " + std::to_string(output_bytes));
      Inflater inflater(15);
      for_every_split(hex(c.bytes), [&](Bytes first, Bytes second) {
        EXPECT_EQ(read(inflater, {first, second}, output_bytes), "broken");
        Buffer output(100);
        EXPECT_EQ(inflater.step(hex("00"), output).state, State::kBroken);
        EXPECT_EQ(inflater.finish(output).state, State::kBroken);
        inflater.reset();
        EXPECT_EQ(read(inflater, {hex("f2 48 cd c9 c9 07 00")}), "Hello");
        inflater.reset();
      });
    }
  }
}

TEST(WsInflater, RefusesEachBeginningOfAMessage) {
  for (const int level : {1, 9}) {
    Deflater deflater(level, 15);
    const std::string text = json(700);
    const Buffer bytes = write(deflater, {as_bytes(text)});
    Inflater inflater(15);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(read(inflater, {Bytes(bytes).first(size)}), "broken") << size;
      inflater.reset();
    }
    EXPECT_EQ(read(inflater, {bytes}), text);
  }
}

// A Deflater with a large window refers to bytes that lie at the very end of a smaller one, or one
// byte beyond it.
TEST(WsInflater, KnowsNothingBeyondItsWindow) {
  for (int window_bits = 8; window_bits <= 14; ++window_bits) {
    SCOPED_TRACE(window_bits);
    const std::size_t window = std::size_t{1} << std::max(window_bits, 9);
    for (const std::size_t beyond : {0u, 1u}) {
      const Buffer wanted = random_bytes(64, 1);
      Buffer first = random_bytes(1, 9);  // zlib does not refer to a stream's first byte
      ws_test::operator+=(first, wanted);
      ws_test::operator+=(first, random_bytes(window + beyond - wanted.size(), 2));
      Deflater deflater(9, 15);
      const Buffer first_bytes = write(deflater, {first});
      const Buffer second_bytes = write(deflater, {wanted});
      ASSERT_LT(second_bytes.size(), 20u);  // it does refer to them

      Inflater inflater(window_bits);
      EXPECT_EQ(read(inflater, {first_bytes}), ws_test::text(first));
      EXPECT_EQ(read(inflater, {second_bytes}), beyond == 0 ? ws_test::text(wanted) : "broken");
      Inflater larger(15);
      EXPECT_EQ(read(larger, {first_bytes}), ws_test::text(first));
      EXPECT_EQ(read(larger, {second_bytes}), ws_test::text(wanted));
    }
  }
}

TEST(WsInflater, MakesNothingOfEndlessEmptyBlocks) {
  Buffer blocks;
  for (int i = 0; i < 100'000; ++i) ws_test::operator+=(blocks, hex("00 00 00 ff ff"));
  Inflater inflater(15);
  Buffer output(1);
  const CodecStep step = inflater.step(blocks, output);
  EXPECT_EQ(step.state, State::kHungry);
  EXPECT_EQ(step.taken, blocks.size());
  EXPECT_EQ(step.made, 0u);
  EXPECT_EQ(read(inflater, {hex("f2 48 cd c9 c9 07 00")}), "Hello");
}

TEST(WsInflater, MakesNoMoreThanThereIsRoomFor) {
  const Buffer zeros(1 << 20);
  Deflater deflater(9, 15);
  const Buffer bomb = write(deflater, {zeros});
  ASSERT_LT(bomb.size(), 1200u);
  Inflater inflater(15);
  Buffer output(1000);
  const CodecStep step = inflater.step(bomb, output);
  EXPECT_EQ(step.state, State::kFull);
  EXPECT_EQ(step.made, output.size());
  EXPECT_LT(step.taken, 50u);
  EXPECT_EQ(inflater.step(bomb, {}).state, State::kFull);
}

TEST(WsInflater, TakesAllItsMemoryAtOnce) {
  for (int window_bits = 8; window_bits <= 15; ++window_bits) {
    Inflater inflater(window_bits);
    ASSERT_TRUE(inflater.usable());
    const std::size_t bytes = inflater.memory_bytes();
    EXPECT_GT(bytes, std::size_t{1} << window_bits);
    const std::string text = json(200);
    Deflater deflater(6, 9);
    EXPECT_EQ(read(inflater, {write(deflater, {as_bytes(text)})}), text);
    inflater.reset();
    EXPECT_EQ(inflater.memory_bytes(), bytes);

    EXPECT_TRUE(Inflater(window_bits, bytes).usable());
    for (const std::size_t too_few : {bytes - 1, bytes / 2, std::size_t{0}}) {
      Inflater none(window_bits, too_few);
      EXPECT_FALSE(none.usable());
      EXPECT_EQ(none.memory_bytes(), 0u);
      none.reset();
      EXPECT_EQ(read(none, {hex("00")}), "broken");
    }
  }
}

}  // namespace
