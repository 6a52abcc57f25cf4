// CRC-32C (Castagnoli), which a PROXY header of version 2 may carry (section 2.2.3), a byte at a
// time: headers are short, and there is one a connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "proto/bytes.hh"

namespace proxy {

// What each byte adds; the polynomial is reflected.
inline constexpr std::array<std::uint32_t, 256> kCrc32cTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t index = 0; index < table.size(); ++index) {
    std::uint32_t rest = index;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0x82f63b78u : 0);
    table[index] = rest;
  }
  return table;
}();

class Crc32c {
 public:
  void add(std::byte value) {
    state_ = kCrc32cTable[(state_ ^ std::to_integer<std::uint32_t>(value)) & 0xff] ^ (state_ >> 8);
  }
  void add(proto::Bytes bytes) {
    for (const std::byte value : bytes) add(value);
  }
  std::uint32_t value() const { return ~state_; }

 private:
  std::uint32_t state_ = 0xffffffff;
};

}  // namespace proxy
