// A whole file, up to a bound: what compare and merge are given by name.
#pragma once

#include <expected>
#include <string>

namespace load::report {

inline constexpr std::size_t kFileBytesMax = std::size_t{256} << 20;

std::expected<std::string, std::string> read_file(const std::string& path);

}  // namespace load::report
