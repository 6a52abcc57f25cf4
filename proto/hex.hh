// Bytes as lower-case hexadecimal digits, two for each.
#pragma once

#include <cstddef>

#include "proto/bytes.hh"

namespace proto {

// Writes them to where there is room; gives the end.
inline char* write_hex(char* to, Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const std::byte byte : bytes) {
    *to++ = kDigits[std::to_integer<unsigned>(byte) >> 4];
    *to++ = kDigits[std::to_integer<unsigned>(byte) & 0xf];
  }
  return to;
}

}  // namespace proto
