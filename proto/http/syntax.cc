#include "proto/http/syntax.hh"

#include <immintrin.h>

#include <bit>

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

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t at = 0; at < left.size(); ++at) {
    if (to_lower(left[at]) != to_lower(right[at])) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_whitespace(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_whitespace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace http
