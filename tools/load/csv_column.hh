// One column of a CSV file (RFC 4180) by the name that its first line gives it: what a template's
// {file:users.csv:token} takes its values from, a row for each connection in turn. The file was
// read whole; what is kept is the column alone.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace load {

inline constexpr std::size_t kCsvBytesMax = 16 << 20;
inline constexpr std::size_t kCsvValueBytesMax = 16 << 10;
inline constexpr std::size_t kCsvRowsMax = 1'000'000;

// At least one value, each of valid UTF-8. `file` is what errors call it; they name the line.
std::expected<std::vector<std::string>, std::string> read_csv_column(std::string_view text,
                                                                     std::string_view file,
                                                                     std::string_view column);

}  // namespace load
