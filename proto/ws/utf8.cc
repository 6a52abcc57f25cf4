// The second byte's bounds depend on the first (RFC 3629 section 4); all later ones are 80..BF.
// Whole blocks are only told to be valid or not: where they are not, the bytes are looked at again
// one by one.
#include "proto/ws/utf8.hh"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "proto/ws/frame.hh"
#include "proto/ws/utf8_blocks.hh"

namespace ws {

namespace {

using proto::Bytes;

// Below, blocks do not pay.
constexpr std::size_t kBlocksMin = 16;

std::uint8_t unmasked(Bytes bytes, std::size_t at, std::uint32_t key) {
  return static_cast<std::uint8_t>(std::to_integer<unsigned>(bytes[at]) ^ key >> (at % 4 * 8));
}

bool is_continuation(std::uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

template <class Word>
Word load(const std::byte* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The number of bytes at the front that are ASCII, in steps of eight.
std::size_t ascii_words(Bytes bytes, std::uint32_t key) {
  const std::uint64_t keys = std::uint64_t{key} << 32 | key;
  std::size_t size = 0;
  while (bytes.size() - size >= 8) {
    const auto word = load<std::uint64_t>(bytes.data() + size) ^ keys;
    if ((word & 0x8080'8080'8080'8080) != 0) break;
    size += 8;
  }
  return size;
}

// The bytes at the end of a character that the end cuts, if the text is valid; 0: it cuts none.
std::size_t cut_bytes(Bytes text, std::uint32_t key) {
  constexpr std::uint8_t kLeads[] = {0xc0, 0xe0, 0xf0};  // of more than one, two, three bytes
  for (std::size_t size = 1; size <= std::min<std::size_t>(3, text.size()); ++size) {
    if (unmasked(text, text.size() - size, key) >= kLeads[size - 1]) return size;
  }
  return 0;
}

// For text that begins with a character: how many bytes of it are whole valid characters. It may be
// too few, for whoever looks at the rest byte by byte.
std::size_t whole_characters(Bytes text, std::uint32_t key) {
  const Bytes whole = text.first(text.size() - cut_bytes(text, key));
  std::size_t valid = valid_blocks_avx2(whole, key);
  if (valid == whole.size() && cut_bytes(whole, key) == 0) return valid;
  // The character that reaches into the violation begins before it, if it does.
  while (valid > 0 && is_continuation(unmasked(text, --valid, key))) {
  }
  return valid;
}

Utf8Way best_way() {
  static const Utf8Way best = can_do(Utf8Way::kAvx2) ? Utf8Way::kAvx2 : Utf8Way::kPortable;
  return best;
}

}  // namespace

// Words that overlap where the size is none of theirs.
bool is_ascii(Bytes text, std::uint32_t key) {
  const std::byte* at = text.data();
  const std::size_t size = text.size();
  const std::byte* const end = at + size;
  const std::uint32_t last_key = turned_mask_word(key, size);
  if (size >= 16) {
    const auto vector = [](const std::byte* from) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    };
    const __m128i keys = _mm_set1_epi32(static_cast<int>(key));
    const __m128i last_keys = _mm_set1_epi32(static_cast<int>(last_key));
    __m128i all = _mm_xor_si128(vector(end - 16), last_keys);
    for (; end - at > 32; at += 32) {
      const __m128i first = _mm_xor_si128(vector(at), keys);
      const __m128i second = _mm_xor_si128(vector(at + 16), keys);
      all = _mm_or_si128(all, _mm_or_si128(first, second));
    }
    if (end - at > 16) all = _mm_or_si128(all, _mm_xor_si128(vector(at), keys));
    return _mm_movemask_epi8(all) == 0;
  }
  if (size >= 8) {
    const auto twice = [](std::uint64_t word) { return word << 32 | word; };
    const std::uint64_t all =
        (load<std::uint64_t>(at) ^ twice(key)) | (load<std::uint64_t>(end - 8) ^ twice(last_key));
    return (all & 0x8080'8080'8080'8080) == 0;
  }
  if (size >= 4) {
    const std::uint32_t all =
        (load<std::uint32_t>(at) ^ key) | (load<std::uint32_t>(end - 4) ^ last_key);
    return (all & 0x8080'8080) == 0;
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (unmasked(text, i, key) >= 0x80) return false;
  }
  return true;
}

bool can_do(Utf8Way way) {
  return way == Utf8Way::kPortable || __builtin_cpu_supports("avx2");
}

std::size_t Utf8Validator::feed_masked(Bytes bytes, std::uint32_t key) {
  if (complete() && bytes.size() <= kShortTextBytes && is_ascii(bytes, key)) return bytes.size();
  return feed_by(best_way(), bytes, key);
}

std::size_t Utf8Validator::feed_by(Utf8Way way, Bytes bytes, std::uint32_t key) {
  std::size_t valid = 0;
  if (way == Utf8Way::kAvx2 && bytes.size() >= kBlocksMin && !failed()) {
    // First the rest of a character that was cut.
    const std::size_t due = continuation_bytes_;
    valid = feed_each(bytes.first(due), key);
    if (valid < due) return valid;
    valid += whole_characters(bytes.subspan(valid), turned_mask_word(key, valid));
  }
  return valid + feed_each(bytes.subspan(valid), turned_mask_word(key, valid));
}

std::size_t Utf8Validator::feed_each(Bytes bytes, std::uint32_t key) {
  if (failed()) return 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t byte = unmasked(bytes, i, key);
    if (continuation_bytes_ == 0) {
      if (byte < 0x80) {
        const std::size_t skipped = ascii_words(bytes.subspan(i), turned_mask_word(key, i));
        if (skipped > 0) i += skipped - 1;
      } else if (!begin(byte)) {
        continuation_bytes_ = kFailed;
        return i;
      }
    } else if (byte < next_min_ || byte > next_max_) {
      continuation_bytes_ = kFailed;
      return i;
    } else {
      --continuation_bytes_;
      next_min_ = 0x80;
      next_max_ = 0xbf;
    }
  }
  return bytes.size();
}

bool Utf8Validator::begin(std::uint8_t lead) {
  if (lead < 0xc2 || lead > 0xf4) return false;  // continuation, overlong, above U+10FFFF
  continuation_bytes_ = lead < 0xe0 ? 1 : (lead < 0xf0 ? 2 : 3);
  if (lead == 0xe0) next_min_ = 0xa0;  // overlong below
  if (lead == 0xed) next_max_ = 0x9f;  // surrogates above
  if (lead == 0xf0) next_min_ = 0x90;  // overlong below
  if (lead == 0xf4) next_max_ = 0x8f;  // above U+10FFFF
  return true;
}

bool is_utf8(Bytes bytes) {
  Utf8Validator validator;
  return validator.feed(bytes) == bytes.size() && validator.complete();
}

}  // namespace ws
