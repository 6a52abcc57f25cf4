#include "gateway/console/table.hh"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace gateway {
namespace {

using admin::Json;

std::string text_at(const Json& row, std::string_view name) {
  const auto found = row.find(std::string(name));
  if (found == row.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

double number_at(const Json& row, std::string_view name) {
  const auto found = row.find(std::string(name));
  return found != row.end() && found->is_number() ? found->get<double>() : 0;
}

std::string client_of(const Json& row) {
  const std::string host = text_at(row, "client");
  const std::string port = text_at(row, "port");
  return host.find(':') == host.npos ? host + ":" + port : "[" + host + "]:" + port;
}

// Negative: flush left.
const std::vector<int> kWidths = {6, -9, -21, -12, -21, 7, 7, 7, 7, 8, 8, -1};
const std::vector<std::string> kHeader = {"ID",     "KIND",  "CLIENT",   "ROUTE",
                                          "SERVER", "AGE",   "IDLE",     "MSG/S",
                                          "MSGS",   "BYTES", "BUFFERED", "REQUEST"};

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  std::string result(text.substr(0, most));
  for (char& c : result) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return result;
}

std::string short_number(double number) {
  constexpr std::array kUnits = {"", "k", "M", "G", "T", "P"};
  std::size_t unit = 0;
  while (number >= 1000 && unit + 1 < kUnits.size()) {
    number /= 1000;
    ++unit;
  }
  const bool is_whole = number == std::floor(number) && unit == 0;
  return fmt::format("{:.{}f}{}", number, is_whole || number >= 100 ? 0 : 1, kUnits[unit]);
}

std::string short_time(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} m", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string text_of_cells(const std::vector<std::vector<std::string>>& lines,
                          const std::vector<int>& widths) {
  std::string text;
  for (const auto& line : lines) {
    std::string cells;
    for (std::size_t at = 0; at < line.size(); ++at) {
      const auto width = static_cast<std::size_t>(std::abs(widths[at]));
      if (at > 0) cells += "  ";
      cells += widths[at] < 0 ? fmt::format("{:<{}}", line[at], width)
                              : fmt::format("{:>{}}", line[at], width);
    }
    text += cells.substr(0, cells.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string text_of_rows(const Json& rows, bool with_header) {
  std::vector<std::vector<std::string>> lines;
  if (with_header) lines.push_back(kHeader);
  for (const Json& row : rows) {
    lines.push_back(
        {text_at(row, "id"), text_at(row, "kind"), client_of(row),
         printable(text_at(row, "route"), 20), printable(text_at(row, "server"), 40),
         short_time(number_at(row, "age_seconds")), short_time(number_at(row, "idle_seconds")),
         short_number(number_at(row, "messages_per_second")),
         short_number(number_at(row, "messages_from_client") +
                      number_at(row, "messages_from_upstream")),
         short_number(number_at(row, "bytes_from_client") + number_at(row, "bytes_from_upstream")),
         short_number(number_at(row, "buffered_bytes")), printable(text_at(row, "request"), 60)});
  }
  return text_of_cells(lines, kWidths);
}

std::string text_of_one(const Json& row) {
  std::string text;
  const auto add = [&](const std::string& name, const Json& value) {
    const std::string shown = value.is_null()     ? "-"
                              : value.is_string() ? value.get<std::string>()
                                                  : value.dump();
    text += fmt::format("{:<36} {}\n", name + ":", printable(shown, 512));
  };
  for (const auto& [name, value] : row.items()) {
    if (!value.is_object()) {
      add(name, value);
      continue;
    }
    for (const auto& [inner, of_peer] : value.items()) add(name + "." + inner, of_peer);
  }
  return text;
}

}  // namespace gateway
