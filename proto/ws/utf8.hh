// Strict UTF-8 over a stream (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
// It keeps three bytes of state and no text; a violation is told at the first byte that no valid
// text could have there.
#pragma once

#include <cstdint>

#include "proto/bytes.hh"

namespace ws {

class Utf8Validator {
 public:
  // Takes the next bytes; false from the first invalid byte on, for ever.
  bool feed(proto::Bytes bytes);

  // What was fed is valid and does not end inside a character.
  bool complete() const { return continuation_bytes_ == 0; }

 private:
  bool begin(std::uint8_t lead);

  std::uint8_t continuation_bytes_ =
      0;                          // due before the character ends; kInvalid after a violation
  std::uint8_t next_min_ = 0x80;  // bounds of the next one
  std::uint8_t next_max_ = 0xbf;
};

bool is_utf8(proto::Bytes bytes);

}  // namespace ws
