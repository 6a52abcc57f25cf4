// The UTF-8 validator against an independent rule: every encoded code point, every split.
#include "proto/ws/utf8.hh"

#include <gtest/gtest.h>

#include <string>

#include "tests/proto/every_split.hh"
#include "tests/proto/ws/frame_bytes.hh"

namespace {

using proto::as_bytes;
using ws_test::hex;

// The general pattern of UTF-8, which also writes surrogates and too large values.
std::string encode(unsigned point, unsigned size) {
  constexpr unsigned kLead[] = {0x00, 0xc0, 0xe0, 0xf0};
  std::string text;
  for (unsigned i = size - 1; i > 0; --i) {
    text.insert(text.begin(), static_cast<char>(0x80 | (point & 0x3f)));
    point >>= 6;
  }
  text.insert(text.begin(), static_cast<char>(kLead[size - 1] | point));
  return text;
}

unsigned shortest(unsigned point) {
  return point < 0x80 ? 1 : (point < 0x800 ? 2 : (point < 0x10000 ? 3 : 4));
}

TEST(WsUtf8, AcceptsEachCodePointInItsShortestFormOnly) {
  for (unsigned point = 0; point < 0x1fffff; point += point < 0x11100 ? 1 : 7) {
    for (unsigned size = shortest(point); size <= 4; ++size) {
      const bool surrogate = point >= 0xd800 && point <= 0xdfff;
      const bool valid = size == shortest(point) && !surrogate && point <= 0x10ffff;
      ASSERT_EQ(ws::is_utf8(as_bytes(encode(point, size))), valid)
          << std::hex << point << " in " << size;
    }
  }
}

TEST(WsUtf8, TellsAtTheFirstImpossibleByte) {
  struct Case {
    std::string name;
    std::string bytes;
    std::size_t told_after;  // 0: valid as far as it goes
    bool complete = false;
  };
  const Case cases[] = {
      {"empty", "", 0, true},
      {"greek and emoji", "ce ba f0 9f 98 80 61", 0, true},
      {"highest", "f4 8f bf bf", 0, true},
      {"cut after two", "e2 82", 0},
      {"cut after three", "f0 9f 98", 0},
      {"continuation first", "80", 1},
      {"overlong two", "c0 80", 1},
      {"overlong two of 7f", "c1 bf", 1},
      {"overlong three", "e0 9f bf", 2},
      {"overlong four", "f0 8f bf bf", 2},
      {"surrogate", "ed a0 80", 2},
      {"above the highest", "f4 90 80 80", 2},
      {"five-byte lead", "f8 88 80 80 80", 1},
      {"ff", "61 ff", 2},
      {"ascii in a character", "e2 82 41", 3},
      {"lead in a character", "e2 e2", 2},
      {"bad behind long ascii", "61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 80 61", 18},
  };
  for (const Case& c : cases) {
    const auto bytes = hex(c.bytes);
    ws::Utf8Validator validator;
    std::size_t fed = 0;
    for_each_byte(bytes, [&](proto::Bytes part) {
      ++fed;
      EXPECT_EQ(validator.feed(part), c.told_after == 0 || fed < c.told_after)
          << c.name << ", byte " << fed;
    });
    EXPECT_EQ(validator.complete(), c.complete) << c.name;
    for_every_split(bytes, [&](proto::Bytes first, proto::Bytes second) {
      ws::Utf8Validator split;
      EXPECT_EQ(split.feed(first), c.told_after == 0 || first.size() < c.told_after) << c.name;
      EXPECT_EQ(split.feed(second), c.told_after == 0) << c.name;
      EXPECT_EQ(split.complete(), c.complete) << c.name;
    });
  }
}

TEST(WsUtf8, StaysInvalid) {
  ws::Utf8Validator validator;
  EXPECT_FALSE(validator.feed(hex("ff")));
  EXPECT_FALSE(validator.feed(as_bytes("plain")));
  EXPECT_FALSE(validator.feed({}));
  EXPECT_FALSE(validator.complete());
}

TEST(WsUtf8, FindsABadByteAnywhereInLongText) {
  std::string text;
  while (text.size() < 100) text += "abcdefgh\xc3\xa4";
  EXPECT_TRUE(ws::is_utf8(as_bytes(text)));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string bad = text;
    bad[i] = '\xff';
    EXPECT_FALSE(ws::is_utf8(as_bytes(bad))) << i;
  }
}

}  // namespace
