// Finds out quickly that text is valid, not where it is not. `key`: see Utf8Validator.
#pragma once

#include <cstdint>

#include "proto/bytes.hh"

namespace ws {

// Up to here is_ascii() is the quickest way.
constexpr std::size_t kShortTextBytes = 256;

// Whether all of a text is ASCII.
bool is_ascii(proto::Bytes text, std::uint32_t key);

// Looks, in blocks of 64 bytes, at text that begins with a character. Returns its size if no block
// of it shows a violation, or else how many bytes lie before the first block that does: then the
// violation is in that block. A character that the end of the text cuts may stay unnoticed.
// Precondition: the processor has AVX2.
std::size_t valid_blocks_avx2(proto::Bytes text, std::uint32_t key);

}  // namespace ws
