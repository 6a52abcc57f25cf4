#include "tools/load/report/quantile_table.hh"

#include <fmt/format.h>

#include "tools/load/report/figures.hh"

namespace load::report {

void QuantileTable::add(std::string_view name, const Histogram& histogram) {
  if (histogram.empty()) return;
  std::vector<std::string> row = {std::string(name), count_text(histogram.count())};
  for (const NamedShare& one : kShares) row.push_back(duration_text(histogram.quantile(one.share)));
  row.push_back(duration_text(histogram.max()));
  rows_.push_back(std::move(row));
}

std::string QuantileTable::text(std::string_view indent) const {
  if (rows_.empty()) return "";
  std::vector<std::string> head = {"", "count"};
  for (const NamedShare& one : kShares) head.emplace_back(one.key);
  head.emplace_back("max");
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < head.size(); ++column) {
    std::size_t width = head[column].size();
    for (const auto& row : rows_) width = std::max(width, row[column].size());
    widths.push_back(width);
  }
  std::string text;
  const auto put = [&](const std::vector<std::string>& row) {
    text += fmt::format("{}{:<{}}", indent, row[0], std::max<std::size_t>(widths[0], 13));
    for (std::size_t column = 1; column < row.size(); ++column) {
      text += fmt::format("  {:>{}}", row[column], std::max<std::size_t>(widths[column], 7));
    }
    text += "\n";
  };
  put(head);
  for (const auto& row : rows_) put(row);
  return text;
}

}  // namespace load::report
