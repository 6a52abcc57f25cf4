// Messages that are written as payloads of permessage-deflate, outputs of any size, and round
// trips.
#include "proto/ws/deflate.hh"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/proto/every_split.hh"
#include "tests/proto/ws/codec_messages.hh"

namespace {

using proto::as_bytes;
using proto::Bytes;
using ws::Deflater;
using ws::Inflater;
using ws_test::Buffer;
using ws_test::hex;
using ws_test::json;
using ws_test::kOutputSizes;
using ws_test::random_bytes;
using ws_test::read;
using ws_test::write;
using State = ws::CodecStep::State;

TEST(WsDeflater, WritesWhatTheRfcShows) {
  for (int window_bits = 9; window_bits <= 15; ++window_bits) {
    for (int level = 1; level <= 9; ++level) {
      for (const std::size_t output_bytes : kOutputSizes) {
        Deflater deflater(level, window_bits);
        const auto expect = [&](std::string_view text, std::string_view expected) {
          for_every_split(as_bytes(text), [&](Bytes first, Bytes second) {
            Deflater fresh(level, window_bits);
            EXPECT_EQ(write(fresh, {first, second}, output_bytes),
                      hex(text.empty() ? "00" : "f2 48 cd c9 c9 07 00"));
          });
          EXPECT_EQ(write(deflater, {as_bytes(text)}, output_bytes), hex(expected));
        };
        expect("", "00");
        expect("", "00");
        expect("Hello", "f2 48 cd c9 c9 07 00");
        expect("", "00");
        expect("Hello", "f2 00 11 00 00");  // 7.2.3.2
        expect("", "00");
        deflater.reset();
        expect("Hello", "f2 48 cd c9 c9 07 00");
      }
    }
  }
}

// Neither twice nor in part, whatever the output's size is.
TEST(WsDeflater, TakesTheTailOffWhereverTheOutputEnds) {
  const std::string text = json(300);
  for (const Buffer& message :
       {random_bytes(200, 3), Buffer(as_bytes(text).begin(), as_bytes(text).end())}) {
    for (const int level : {1, 6}) {
      Deflater deflater(level, 15);
      const Buffer expected = write(deflater, {message});
      EXPECT_NE(Buffer(expected.end() - 4, expected.end()), hex("00 00 ff ff"));
      for (std::size_t output_bytes = 1; output_bytes <= expected.size() + 10; ++output_bytes) {
        deflater.reset();
        ASSERT_EQ(write(deflater, {message}, output_bytes), expected) << output_bytes;
        const Buffer second = write(deflater, {message}, output_bytes);
        Inflater inflater(15);
        EXPECT_EQ(read(inflater, {expected}), ws_test::text(message));
        EXPECT_EQ(read(inflater, {second}), ws_test::text(message));
      }
    }
  }
}

TEST(WsDeflater, ForgetsAMessageThatIsGivenUp) {
  const Buffer noise = random_bytes(100'000, 4);
  for (const bool finishing : {false, true}) {
    Deflater deflater(6, 12);
    Buffer output(10);
    EXPECT_EQ(deflater.step(noise, output).state, State::kFull);
    if (finishing) {
      EXPECT_EQ(deflater.finish(output).state, State::kFull);
    }
    deflater.reset();
    EXPECT_EQ(write(deflater, {as_bytes("Hello")}), hex("f2 48 cd c9 c9 07 00"));
  }
  Deflater deflater(6, 12);
  Buffer output(1);
  EXPECT_EQ(deflater.step(as_bytes("Hello"), output).state, State::kHungry);
  while (output[0] != hex("07")[0]) ASSERT_EQ(deflater.finish(output).state, State::kFull);
  deflater.reset();  // its last byte was made and not given
  EXPECT_EQ(write(deflater, {as_bytes("Hello")}), hex("f2 48 cd c9 c9 07 00"));
}

TEST(WsDeflater, TakesAllItsMemoryAtOnce) {
  std::size_t bytes_before = 0;
  for (int window_bits = 9; window_bits <= 15; ++window_bits) {
    Deflater deflater(6, window_bits);
    ASSERT_TRUE(deflater.usable());
    const std::size_t bytes = deflater.memory_bytes();
    EXPECT_GT(bytes, bytes_before);
    EXPECT_LT(bytes, 300'000u);
    bytes_before = bytes;
    write(deflater, {random_bytes(100'000, 5)});
    EXPECT_EQ(deflater.memory_bytes(), bytes);

    EXPECT_TRUE(Deflater(6, window_bits, bytes).usable());
    for (const std::size_t too_few : {bytes - 1, bytes / 2, std::size_t{0}}) {
      Deflater none(6, window_bits, too_few);
      EXPECT_FALSE(none.usable());
      EXPECT_EQ(none.memory_bytes(), 0u);
      none.reset();
      Buffer output(10);
      EXPECT_EQ(none.step(as_bytes("Hello"), output).state, State::kBroken);
      EXPECT_EQ(none.finish(output).state, State::kBroken);
    }
  }
}

TEST(WsDeflateCodec, GivesBackWhatWentIn) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u, 1u << 20}) {
    const std::string text = json(size);
    for (const std::string& message : {text, ws_test::text(random_bytes(size, 6))}) {
      for (int window_bits = 9; window_bits <= 15; ++window_bits) {
        for (const int level : {1, 6}) {
          for (const bool takeover : {false, true}) {
            SCOPED_TRACE(std::to_string(size) + " bytes, window " + std::to_string(window_bits));
            Deflater deflater(level, window_bits);
            Inflater inflater(window_bits);
            for (const std::size_t output_bytes : {1000u, 65536u}) {
              const Bytes whole = as_bytes(message);
              const Buffer bytes =
                  write(deflater, {whole.first(size / 3), whole.subspan(size / 3)}, output_bytes);
              const Bytes made(bytes);
              const std::size_t cut = made.size() / 2;
              ASSERT_TRUE(read(inflater, {made.first(cut), made.subspan(cut)}, output_bytes) ==
                          message);
              if (takeover) continue;
              deflater.reset();
              inflater.reset();
            }
          }
        }
      }
    }
  }
}

TEST(WsDeflateCodec, GainsByTheWindowThatItKeeps) {
  const std::string text = json(900);
  Deflater deflater(6, 15);
  const std::size_t alone = write(deflater, {as_bytes(text)}).size();
  EXPECT_LT(write(deflater, {as_bytes(text)}).size(), alone / 5);
  deflater.reset();
  EXPECT_EQ(write(deflater, {as_bytes(text)}).size(), alone);
}

TEST(WsDeflateCodec, TellsWhatIsCompressedAlready) {
  std::string base64;
  for (const std::byte value : random_bytes(2000, 7)) {
    base64 += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        [std::to_integer<unsigned>(value) % 64];
  }
  Deflater deflater(9, 15);
  const Buffer deflated = write(deflater, {as_bytes(json(100'000))});
  for (const std::size_t size : {0u, 1u, 63u, 64u, 100u, 200u, 1000u, 1024u, 2000u}) {
    SCOPED_TRACE(size);
    unsigned told = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
      told += ws::looks_compressed(random_bytes(size, seed));
    }
    if (size < 64) {
      EXPECT_EQ(told, 0u);
    } else {
      EXPECT_GE(told, 97u);
    }
    if (size >= 1000) {
      EXPECT_TRUE(ws::looks_compressed(Bytes(deflated).subspan(100, size)));
    }
    EXPECT_FALSE(ws::looks_compressed(as_bytes(json(size))));
    EXPECT_FALSE(ws::looks_compressed(as_bytes(base64).first(size)));
    EXPECT_FALSE(ws::looks_compressed(Buffer(size)));
  }
  Buffer late = random_bytes(1024, 8);
  ws_test::operator+=(late, Buffer(100'000));
  EXPECT_TRUE(ws::looks_compressed(late));  // what is behind is not looked at
}

}  // namespace
