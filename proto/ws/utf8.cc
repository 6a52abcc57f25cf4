// The second byte's bounds depend on the first (RFC 3629 section 4); all later ones are 80..BF.
#include "proto/ws/utf8.hh"

#include <cstring>

namespace ws {

namespace {

constexpr std::uint8_t kInvalid = 0xff;

// The number of bytes at the front that are ASCII, in steps of eight.
std::size_t ascii_words(proto::Bytes bytes) {
  std::size_t size = 0;
  while (bytes.size() - size >= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + size, sizeof word);
    if ((word & 0x8080'8080'8080'8080) != 0) break;
    size += 8;
  }
  return size;
}

}  // namespace

bool Utf8Validator::feed(proto::Bytes bytes) {
  if (continuation_bytes_ == kInvalid) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<std::uint8_t>(bytes[i]);
    if (continuation_bytes_ == 0) {
      if (byte < 0x80) {
        const std::size_t skipped = ascii_words(bytes.subspan(i));
        if (skipped > 0) i += skipped - 1;
      } else if (!begin(byte)) {
        continuation_bytes_ = kInvalid;
        return false;
      }
    } else if (byte < next_min_ || byte > next_max_) {
      continuation_bytes_ = kInvalid;
      return false;
    } else {
      --continuation_bytes_;
      next_min_ = 0x80;
      next_max_ = 0xbf;
    }
  }
  return true;
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

bool is_utf8(proto::Bytes bytes) {
  Utf8Validator validator;
  return validator.feed(bytes) && validator.complete();
}

}  // namespace ws
