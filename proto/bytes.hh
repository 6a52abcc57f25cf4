// The one way in which bytes travel between the folders: a view that somebody else owns.
// How long a view lives is said by whoever hands it out.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace proto {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace proto
