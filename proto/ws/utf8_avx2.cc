// The method of Keiser and Lemire ("Validating UTF-8 in less than one instruction per byte", 2021):
// almost all that can be wrong shows in two bytes that follow each other, and almost all of that in
// three of their four nibbles. Each kind of error is a bit; each nibble says, by a table, which
// errors it is a part of; those that all three agree on are there. What is left, the third and
// fourth byte of a character, shows in the bytes two and three before.
#include <immintrin.h>

#include <array>
#include <cstring>

#include "proto/ws/utf8_blocks.hh"

namespace ws {

namespace {

constexpr std::size_t kVectorBytes = 32;
constexpr std::size_t kBlockBytes = 2 * kVectorBytes;

// Nibbles as a set: bit n stands for n.
constexpr unsigned from_to(unsigned first, unsigned last) {
  return (2u << last) - (1u << first);
}

constexpr unsigned kAny = from_to(0x0, 0xf);
constexpr unsigned kAscii = from_to(0x0, 0x7);
constexpr unsigned kContinuation = from_to(0x8, 0xb);
constexpr unsigned kLead = from_to(0xc, 0xf);

// Two bytes that may not follow each other, by their nibbles.
struct Pair {
  unsigned first_high;
  unsigned first_low;
  unsigned second_high;
};

constexpr std::array<Pair, 8> kPairs = {{
    {kLead, kAny, kAscii | kLead},                       // a character that is cut short
    {kAscii, kAny, kContinuation},                       // the inside of none
    {1 << 0xc, from_to(0x0, 0x1), kContinuation},        // C0, C1: would fit into one byte
    {1 << 0xe, 1 << 0x0, from_to(0x8, 0x9)},             // E0 80-9F: into two
    {1 << 0xe, 1 << 0xd, from_to(0xa, 0xb)},             // ED A0-BF: surrogates
    {1 << 0xf, 1 << 0x0 | from_to(0x5, 0xf), 1 << 0x8},  // F0 80-8F: into three; F5-FF
    {1 << 0xf, from_to(0x4, 0xf), from_to(0x9, 0xb)},    // F4 90-BF: too large; F5-FF
    {kContinuation, kAny, kContinuation},                // right in long characters only
}};
constexpr char kTwoContinuations = static_cast<char>(1 << 7);

// For each nibble the pairs that it can be a part of.
using Table = std::array<std::uint8_t, 16>;

constexpr Table table_of(unsigned Pair::*nibbles) {
  Table table = {};
  for (std::size_t pair = 0; pair < kPairs.size(); ++pair) {
    for (std::size_t nibble = 0; nibble < table.size(); ++nibble) {
      const bool part = (kPairs[pair].*nibbles >> nibble & 1) != 0;
      table[nibble] = static_cast<std::uint8_t>(table[nibble] | (part ? 1 << pair : 0));
    }
  }
  return table;
}

constexpr Table kFirstHigh = table_of(&Pair::first_high);
constexpr Table kFirstLow = table_of(&Pair::first_low);
constexpr Table kSecondHigh = table_of(&Pair::second_high);

#define WS_AVX2 [[gnu::target("avx2"), gnu::always_inline]] inline

WS_AVX2 __m256i load(const std::byte* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

WS_AVX2 __m256i look_up(const Table& table, __m256i nibbles) {
  const __m128i row = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data()));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(row), nibbles);
}

WS_AVX2 __m256i high_nibbles(__m256i bytes) {
  return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0f));
}

// `text` behind `before`; not zero: something is wrong in it, or between the two.
WS_AVX2 __m256i violations(__m256i text, __m256i before) {
  // Both halves of a vector are shifted by themselves: each needs the one before it.
  const __m256i halves_before = _mm256_permute2x128_si256(before, text, 0x21);
  const __m256i one_before = _mm256_alignr_epi8(text, halves_before, 15);
  const __m256i two_before = _mm256_alignr_epi8(text, halves_before, 14);
  const __m256i three_before = _mm256_alignr_epi8(text, halves_before, 13);

  const __m256i low_nibbles = _mm256_and_si256(one_before, _mm256_set1_epi8(0x0f));
  const __m256i first = _mm256_and_si256(look_up(kFirstHigh, high_nibbles(one_before)),
                                         look_up(kFirstLow, low_nibbles));
  const __m256i pairs = _mm256_and_si256(first, look_up(kSecondHigh, high_nibbles(text)));

  // A byte two behind E0-FF, or three behind F0-FF, has to be a second continuation, and no other
  // one may be. The differences have their highest bit behind such bytes.
  const __m256i third = _mm256_subs_epu8(two_before, _mm256_set1_epi8(0xe0 - 0x80));
  const __m256i fourth = _mm256_subs_epu8(three_before, _mm256_set1_epi8(0xf0 - 0x80));
  const __m256i due =
      _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8(kTwoContinuations));
  return _mm256_xor_si256(pairs, due);
}

struct Blocks {
  __m256i key;
  __m256i before;         // the last vector of the block before
  bool was_ascii = true;  // that block
};

// False: the next block is not valid.
WS_AVX2 bool is_valid(Blocks& blocks, const std::byte* at) {
  const __m256i first = _mm256_xor_si256(load(at), blocks.key);
  const __m256i second = _mm256_xor_si256(load(at + kVectorBytes), blocks.key);
  const bool ascii = _mm256_movemask_epi8(_mm256_or_si256(first, second)) == 0;
  // Any ASCII before a block is as good as any other: `before` may be an older one.
  if (ascii && blocks.was_ascii) return true;
  const __m256i found =
      _mm256_or_si256(violations(first, blocks.before), violations(second, first));
  blocks.before = second;
  blocks.was_ascii = ascii;
  return _mm256_testz_si256(found, found) != 0;
}

}  // namespace

[[gnu::target("avx2")]] std::size_t valid_blocks_avx2(proto::Bytes text, std::uint32_t key) {
  const std::byte* const begin = text.data();
  Blocks blocks = {.key = _mm256_set1_epi32(static_cast<int>(key)),
                   .before = _mm256_setzero_si256()};
  std::size_t at = 0;
  for (; text.size() - at >= kBlockBytes; at += kBlockBytes) {
    if (!is_valid(blocks, begin + at)) return at;
  }
  if (at == text.size()) return at;
  // Zeros behind the end, once they are unmasked.
  alignas(kVectorBytes) std::array<std::byte, kBlockBytes> last;
  auto* const vectors = reinterpret_cast<__m256i*>(last.data());
  _mm256_store_si256(vectors, blocks.key);
  _mm256_store_si256(vectors + 1, blocks.key);
  std::memcpy(last.data(), begin + at, text.size() - at);
  return is_valid(blocks, last.data()) ? text.size() : at;
}

}  // namespace ws
