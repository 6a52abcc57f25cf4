// UTF-8 by its definition, byte by byte and slowly, without the code that is tested.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace ws_test {

// What is valid of a text, by the definition of the encoding (RFC 3629 section 3): a byte is, where
// some whole character begins with the ones before it and it.
struct Utf8Reference {
  std::size_t valid = 0;  // bytes
  bool complete = true;
};

inline bool is_prefix_of_a_character(std::string_view bytes) {
  const unsigned lead = bytes[0] & 0xffu;
  const unsigned size = lead < 0x80   ? 1
                        : lead < 0xc0 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf8 ? 4
                                      : 0;
  if (size == 0) return false;
  unsigned least = size == 1 ? lead : lead & (0x7fu >> size);
  unsigned most = least;
  for (unsigned i = 1; i < size; ++i) {
    const bool given = i < bytes.size();
    const unsigned byte = given ? bytes[i] & 0xffu : 0x80;
    if ((byte & 0xc0) != 0x80) return false;
    least = least << 6 | (byte & 0x3f);
    most = most << 6 | (given ? byte & 0x3f : 0x3f);
  }
  constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  least = std::max(least, kLeast[size]);
  most = std::min(most, 0x10ffffu);
  return least <= most && !(least >= 0xd800 && most <= 0xdfff);
}

inline Utf8Reference utf8_reference(std::string_view text) {
  Utf8Reference found;
  std::size_t begin = 0;
  for (; found.valid < text.size(); ++found.valid) {
    const std::string_view character = text.substr(begin, found.valid + 1 - begin);
    if (!is_prefix_of_a_character(character)) {
      found.complete = false;
      return found;
    }
    const unsigned lead = character[0] & 0xffu;
    const unsigned size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (character.size() == size) begin = found.valid + 1;
  }
  found.complete = begin == text.size();
  return found;
}

}  // namespace ws_test
