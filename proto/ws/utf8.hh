// Strict UTF-8 over a stream (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
// It keeps three bytes of state and no text. A violation is told at the first byte that no valid
// text could have there, however the stream is cut. Masked text (RFC 6455 section 5.3) is unmasked
// in registers: nothing is written.
#pragma once

#include <cstdint>

#include "proto/bytes.hh"

namespace ws {

// How long text is looked at; which of them this processor can do is found at run time.
enum class Utf8Way : std::uint8_t { kPortable, kAvx2 };

bool can_do(Utf8Way way);

class Utf8Validator {
 public:
  // How many of the next bytes are valid: all of them, or those before the first invalid one. From
  // then on none is, for ever.
  std::size_t feed(proto::Bytes bytes) { return feed_masked(bytes, 0); }

  // The same of masked ones; `key` is as mask_word() makes it, for the first of them.
  std::size_t feed_masked(proto::Bytes bytes, std::uint32_t key);

  // The same in one way, whatever would be best. Precondition: can_do(way).
  std::size_t feed_by(Utf8Way way, proto::Bytes bytes, std::uint32_t key);

  // What was fed is valid and does not end inside a character.
  bool complete() const { return continuation_bytes_ == 0; }

  bool failed() const { return continuation_bytes_ == kFailed; }

 private:
  static constexpr std::uint8_t kFailed = 0xff;

  std::size_t feed_each(proto::Bytes bytes, std::uint32_t key);
  bool begin(std::uint8_t lead);

  std::uint8_t continuation_bytes_ = 0;  // due before the character ends; or kFailed
  std::uint8_t next_min_ = 0x80;         // bounds of the next one
  std::uint8_t next_max_ = 0xbf;
};

bool is_utf8(proto::Bytes bytes);

}  // namespace ws
