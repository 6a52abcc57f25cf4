// Rows of the live table as text for a terminal. What peers have sent cannot move its cursor: bytes
// that are no plain characters are shown as "?".
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admin/json.hh"

namespace gateway {

// Columns below each other, the first line the header.
std::string text_of_rows(const admin::Json& rows, bool with_header);
// One row, with all that is known of it, a line each.
std::string text_of_one(const admin::Json& row);

// "1.2k", "3.4M": four characters or so, of a number that is not negative.
std::string short_number(double number);
// "85 ms", "12 s", "3.4 h".
std::string short_time(double seconds);
std::string printable(std::string_view text, std::size_t most);

// Cells with two blanks between; the columns whose width is negative are flush left.
std::string text_of_cells(const std::vector<std::vector<std::string>>& lines,
                          const std::vector<int>& widths);

}  // namespace gateway
