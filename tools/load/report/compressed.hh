// zlib's format (RFC 1950) from one piece of memory to another.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace load::report {

std::string compressed(std::string_view bytes);

// None: it is broken, has something behind its end, or more than `bytes_max` come out.
std::optional<std::string> decompressed(std::string_view bytes, std::size_t bytes_max);

}  // namespace load::report
