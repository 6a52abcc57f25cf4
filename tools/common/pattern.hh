// The content of everything that the tools make up: byte i is
//
//     bits 56 to 63 of ((i mod 65521) + 1) * 0x9E3779B97F4A7C15
//
// 65521 is prime, so that no buffer size hides a shift of the bytes. Where it is to be text, only the
// lower six of these bits are there, above a space: printable ASCII.
#pragma once

#include <cstdint>

#include "proto/bytes.hh"

namespace tools {

inline constexpr std::size_t kPatternPeriod = 65521;

// At least one byte of the pattern from position `offset` on, at most `size_max`; valid for ever.
proto::Bytes pattern_at(std::uint64_t offset, std::size_t size_max, bool text = false);

}  // namespace tools
