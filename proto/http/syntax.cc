#include "proto/http/syntax.hh"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace http {
namespace {

constexpr std::size_t kLane = 16;

__m128i load(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

// Where the first set bit is, of a mask with one bit for each byte of a lane.
std::size_t first_of(int mask) {
  return std::countr_zero(static_cast<unsigned>(mask));
}

constexpr std::size_t kWord = sizeof(std::uint64_t);

// to_lower() of eight bytes at once.
std::uint64_t lower_word(const char* from) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t word = 0;
  std::memcpy(&word, from, kWord);
  // What lies from 'A' to 'Z' has bit 7 set by the first sum and not by the second.
  const std::uint64_t low = word & ~(0x80 * kEach);
  const std::uint64_t from_a = low + (0x80 - 'A') * kEach;
  const std::uint64_t behind_z = low + (0x80 - 'Z' - 1) * kEach;
  const std::uint64_t capitals = from_a & ~behind_z & ~word & (0x80 * kEach);
  return word | capitals >> 2;
}

bool is_text_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

}  // namespace

std::size_t ByteSet::prefix(std::string_view text) const {
  const __m128i rows = _mm_load_si128(reinterpret_cast<const __m128i*>(rows_.data()));
  const __m128i bits = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
  std::size_t at = 0;
  for (; at + kLane <= text.size(); at += kLane) {
    const __m128i bytes = load(text.data() + at);
    // The shuffle takes a row by the low four bits, and none for a byte from 0x80.
    const __m128i row = _mm_shuffle_epi8(rows, bytes);
    const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(0x0f));
    const __m128i found = _mm_and_si128(row, _mm_shuffle_epi8(bits, high));
    const int strangers = _mm_movemask_epi8(_mm_cmpeq_epi8(found, _mm_setzero_si128()));
    if (strangers != 0) return at + first_of(strangers);
  }
  while (at < text.size() && has(text[at])) ++at;
  return at;
}

std::size_t text_prefix(std::string_view text) {
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i del = _mm_set1_epi8(0x7f);
  const __m128i tab = _mm_set1_epi8('\t');
  std::size_t at = 0;
  for (; at + kLane <= text.size(); at += kLane) {
    const __m128i bytes = load(text.data() + at);
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i control =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), low), _mm_cmpeq_epi8(bytes, del));
    const int strangers = _mm_movemask_epi8(control);
    if (strangers != 0) return at + first_of(strangers);
  }
  while (at < text.size() && is_text_byte(text[at])) ++at;
  return at;
}

bool detail::equal_ignoring_case(const char* left, const char* right, std::size_t size) {
  if (size < kWord) {
    return std::equal(left, left + size, right,
                      [](char one, char other) { return to_lower(one) == to_lower(other); });
  }
  // The last word overlaps the one before.
  for (std::size_t at = 0; at + kWord < size; at += kWord) {
    if (lower_word(left + at) != lower_word(right + at)) return false;
  }
  const std::size_t last = size - kWord;
  return lower_word(left + last) == lower_word(right + last);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_whitespace(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_whitespace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace http
