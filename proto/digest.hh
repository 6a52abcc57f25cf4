// The digests that protocols outside TLS need; wolfCrypt stands behind them.
#pragma once

#include <array>
#include <cstddef>

#include "proto/bytes.hh"

namespace proto {

std::array<std::byte, 20> sha1(Bytes bytes);

constexpr std::size_t base64_size(std::size_t bytes) {
  return (bytes + 2) / 3 * 4;
}

// Writes base64_size(bytes.size()) characters, padded, without line breaks (RFC 4648 section 4).
// Precondition: `text` has exactly that size.
void base64_encode(Bytes bytes, std::span<char> text);

}  // namespace proto
