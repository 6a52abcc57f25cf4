// What a message of these tools says of itself in its first bytes: whose it is, its number, and when
// it was due, by the clock of this machine (CLOCK_MONOTONIC).
//
//     binary  | connection (8) | number (8) | time (8) |   little-endian; the time in ns
//     text    the same in as many characters, '0' to 'o', six bits each; the time in us
//
// A message of 16 to 23 bytes has no time, a shorter one no mark.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "proto/bytes.hh"
#include "uring/kernel.hh"

namespace tools {

inline constexpr std::size_t kMarkBytesMin = 16;
inline constexpr std::size_t kMarkBytesMax = 24;

struct Mark {
  std::uint64_t connection = 0;
  std::uint64_t number = 0;
  std::optional<uring::Clock::time_point> time = {};
};

// How long a message's mark is.
constexpr std::size_t mark_bytes(std::uint64_t size_bytes) {
  if (size_bytes >= kMarkBytesMax) return kMarkBytesMax;
  return size_bytes >= kMarkBytesMin ? kMarkBytesMin : 0;
}

std::array<std::byte, kMarkBytesMax> encode_mark(const Mark& mark, bool text);

// Of a message's first bytes; nothing where these are none.
std::optional<Mark> decode_mark(proto::Bytes bytes, bool text);

}  // namespace tools
