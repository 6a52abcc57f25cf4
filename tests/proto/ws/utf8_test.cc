// UTF-8 in each way in which this processor can look at it, masked and not.
#include "proto/ws/utf8.hh"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "proto/ws/frame.hh"
#include "tests/proto/every_split.hh"
#include "tests/proto/ws/frame_bytes.hh"
#include "tests/proto/ws/utf8_reference.hh"

namespace {

using proto::as_bytes;
using proto::Bytes;
using ws::Utf8Validator;
using ws::Utf8Way;
using ws_test::Buffer;
using ws_test::hex;

constexpr std::uint32_t kKeys[] = {0, 0xc37f8001};

std::vector<Utf8Way> ways() {
  std::vector<Utf8Way> all = {Utf8Way::kPortable};
  if (ws::can_do(Utf8Way::kAvx2)) all.push_back(Utf8Way::kAvx2);
  return all;
}

Buffer masked(Bytes text, std::uint32_t key) {
  Buffer bytes(text.begin(), text.end());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= static_cast<std::byte>(key >> i % 4 * 8);
  }
  return bytes;
}

// Feeds parts of a masked text, one behind the other.
class Feeder {
 public:
  Feeder(Utf8Way way, std::uint32_t key) : way_(way), key_(key) {}

  // False from the first invalid byte on; valid() is where it is, then.
  bool feed(Bytes part) {
    const std::size_t valid = validator_.feed_by(way_, part, key_);
    EXPECT_LE(valid, part.size());
    EXPECT_EQ(validator_.failed(), failed_ || valid < part.size());
    if (!failed_) valid_ += valid;
    failed_ = validator_.failed();
    key_ = ws::turned_mask_word(key_, part.size());
    return !failed_;
  }
  bool complete() const { return validator_.complete(); }
  std::size_t valid() const { return valid_; }

 private:
  Utf8Validator validator_;
  Utf8Way way_;
  std::uint32_t key_;
  std::size_t valid_ = 0;
  bool failed_ = false;
};

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
  // In a block of its own, and across the border of two.
  for (const std::size_t before : {0u, 62u}) {
    for (const Utf8Way way : ways()) {
      for (unsigned point = 0; point < 0x1fffff; point += point < 0x11100 ? 1 : 7) {
        for (unsigned size = shortest(point); size <= 4; ++size) {
          const bool surrogate = point >= 0xd800 && point <= 0xdfff;
          const bool valid = size == shortest(point) && !surrogate && point <= 0x10ffff;
          const std::string text =
              std::string(before, 'a') + encode(point, size) + std::string(20, 'z');
          Utf8Validator validator;
          const std::size_t told = validator.feed_by(way, as_bytes(text), 0);
          ASSERT_EQ(told == text.size() && validator.complete(), valid)
              << std::hex << point << " in " << size;
          if (size > 1) {
            ASSERT_EQ(ws::is_utf8(as_bytes(encode(point, size))), valid);
          }
        }
      }
    }
  }
}

TEST(WsUtf8, TellsTheFirstImpossibleByteWhereverItIs) {
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
      {"cut after one", "c3", 0},
      {"cut after two", "e2 82", 0},
      {"cut after three", "f0 9f 98", 0},
      {"continuation first", "80", 1},
      {"continuation behind a whole character", "c3 a4 a4", 3},
      {"overlong two", "c0 80", 1},
      {"overlong two of 7f", "c1 bf", 1},
      {"overlong three", "e0 9f bf", 2},
      {"overlong four", "f0 8f bf bf", 2},
      {"surrogate", "ed a0 80", 2},
      {"last surrogate", "ed bf bf", 2},
      {"above the highest", "f4 90 80 80", 2},
      {"lead above the highest", "f5 80 80 80", 1},
      {"five-byte lead", "f8 88 80 80 80", 1},
      {"ff", "61 ff", 2},
      {"ascii in a character", "e2 82 41", 3},
      {"lead in a character", "e2 e2", 2},
      {"lead in a long character", "f0 9f 98 f0 9f 98 80", 4},
      {"one continuation too many", "f0 9f 98 80 80", 5},
      {"two cut characters", "e2 82 c3 a4", 3},
  };
  // Behind ASCII and behind a long character, so that it lies anywhere in blocks.
  for (const std::string& before : {std::string(), std::string("f0 9f 98 80")}) {
    for (const std::size_t ascii : {0, 1, 13, 28, 29, 30, 31, 32, 59, 60, 61, 62, 63, 64, 125}) {
      for (const Case& c : cases) {
        for (const bool goes_on : {false, true}) {
          if (goes_on && c.told_after == 0) continue;
          Buffer text(ascii, std::byte{'a'});
          ws_test::operator+=(text, hex(before + c.bytes));
          const std::size_t bad =
              c.told_after == 0 ? text.size() : ascii + hex(before).size() + c.told_after - 1;
          if (goes_on) text.resize(text.size() + 150, std::byte{'z'});
          for (const Utf8Way way : ways()) {
            for (const std::uint32_t key : kKeys) {
              SCOPED_TRACE(c.name + " behind " + std::to_string(ascii) + " and " + before);
              const Buffer bytes = masked(text, key);
              const auto expect_end = [&](const Feeder& feeder) {
                ASSERT_EQ(feeder.valid(), bad);
                ASSERT_EQ(feeder.complete(), c.complete);
              };
              for_every_split(bytes, [&](Bytes first, Bytes second) {
                Feeder feeder(way, key);
                ASSERT_EQ(feeder.feed(first), c.told_after == 0 || first.size() <= bad);
                ASSERT_EQ(feeder.feed(second), c.told_after == 0);
                expect_end(feeder);
              });
              Feeder feeder(way, key);
              std::size_t fed = 0;
              for_each_byte(bytes, [&](Bytes part) {
                ++fed;
                ASSERT_EQ(feeder.feed(part), c.told_after == 0 || fed <= bad) << "byte " << fed;
              });
              expect_end(feeder);
            }
          }
        }
      }
    }
  }
}

TEST(WsUtf8, StaysInvalid) {
  for (const Utf8Way way : ways()) {
    Utf8Validator validator;
    EXPECT_EQ(validator.feed_by(way, hex("ff"), 0), 0u);
    EXPECT_EQ(validator.feed_by(way, as_bytes("plain"), 0), 0u);
    EXPECT_EQ(validator.feed_by(way, as_bytes(std::string(100, 'a')), 0), 0u);
    EXPECT_EQ(validator.feed({}), 0u);
    EXPECT_EQ(validator.feed(as_bytes("plain")), 0u);
    EXPECT_TRUE(validator.failed());
    EXPECT_FALSE(validator.complete());
  }
}

TEST(WsUtf8, TellsTextOfEachLengthFromAscii) {
  for (std::size_t size = 0; size < 300; ++size) {
    std::string text(size, 'a');
    for (const std::uint32_t key : kKeys) {
      Utf8Validator plain;
      EXPECT_EQ(plain.feed_masked(masked(as_bytes(text), key), key), size);
      for (std::size_t at = 0; at < size; ++at) {
        text[at] = '\xff';
        Utf8Validator validator;
        ASSERT_EQ(validator.feed_masked(masked(as_bytes(text), key), key), at) << size;
        text[at] = 'a';
      }
    }
  }
}

// Text of all kinds, damaged and cut at random.
TEST(WsUtf8, AgreesWithAReferenceOnRandomStreams) {
  std::size_t invalid = 0;
  std::size_t cut = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t limit) { return random() % limit; };
    std::string text;
    const std::size_t characters = below(seed % 10 == 0 ? 400 : 60);
    const std::size_t kind = below(4);
    for (std::size_t i = 0; i < characters; ++i) {
      constexpr unsigned kBelow[] = {0x80, 0x800, 0xd800, 0x110000};
      const std::size_t size = kind == 3 ? below(4) : below(10) == 0 ? below(4) : kind;
      unsigned point = static_cast<unsigned>(below(kBelow[size]));
      if (point >= 0xd800 && point < 0xe000) point = 0xffff;
      text += encode(point, shortest(point));
    }
    if (below(2) == 0 && !text.empty()) text.resize(below(text.size()));
    if (below(3) > 0) {
      for (std::size_t left = 1 + below(2); left > 0 && !text.empty(); --left) {
        constexpr char kBad[] = {'\x80', '\xbf', '\xc0', '\xc3', '\xe0', '\xed', '\xf0', '\xf4',
                                 '\xf5', '\xff', 'a',    '\xa0', '\x9f', '\x90', '\x8f', '\xe2'};
        text[below(text.size())] = kBad[below(sizeof kBad)];
      }
    }
    const ws_test::Utf8Reference expected = ws_test::utf8_reference(text);
    invalid += expected.valid < text.size();
    cut += expected.valid == text.size() && !expected.complete;
    const auto key = static_cast<std::uint32_t>(random());
    const Buffer bytes = masked(as_bytes(text), key);
    for (const Utf8Way way : ways()) {
      Feeder feeder(way, key);
      const std::size_t part_max = std::size_t{1} << below(9);
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = std::min(1 + below(part_max), bytes.size() - at);
        const Buffer part(bytes.begin() + at, bytes.begin() + at + size);
        feeder.feed(part);
        at += size;
      }
      ASSERT_EQ(feeder.valid(), expected.valid);
      ASSERT_EQ(feeder.complete(), expected.complete);
    }
  }
  EXPECT_GT(invalid, 8'000u);  // the streams are worth their name
  EXPECT_GT(cut, 1'000u);
}

}  // namespace
