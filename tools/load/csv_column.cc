#include "tools/load/csv_column.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "proto/ws/utf8.hh"

namespace load {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kColumnsMax = 1000;

class Rows {
 public:
  Rows(std::string_view text, std::string_view file) : rest_(text), file_(file) {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  bool at_end() const { return rest_.empty(); }
  // Of the row that was read last, counted from 1.
  std::size_t line() const { return line_; }

  // Precondition: !at_end().
  std::expected<std::vector<std::string>, std::string> next() {
    line_ = next_line_;
    std::vector<std::string> values;
    for (bool more = true; more;) {
      auto value = rest_.starts_with('"') ? quoted() : plain();
      if (!value) return std::unexpected(value.error());
      if (values.size() == kColumnsMax) return refuse("more than 1000 values");
      values.push_back(std::move(*value));
      more = rest_.starts_with(',');
      if (more) rest_.remove_prefix(1);
    }
    if (rest_.starts_with('\r')) rest_.remove_prefix(1);
    if (!rest_.empty() && !rest_.starts_with('\n')) {
      return refuse("text behind a value in quotes: put the whole value into them");
    }
    if (!rest_.empty()) rest_.remove_prefix(1);
    ++next_line_;
    return values;
  }

  std::unexpected<std::string> refuse(std::string_view why) const {
    return std::unexpected(fmt::format("{}:{}: {}", file_, line_, why));
  }

 private:
  std::expected<std::string, std::string> plain() {
    const std::size_t size = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    return take(size);
  }

  std::expected<std::string, std::string> quoted() {
    std::string value;
    rest_.remove_prefix(1);
    for (;;) {
      const std::size_t quote = rest_.find('"');
      if (quote == std::string_view::npos) return refuse("a quote that is not closed");
      value += rest_.substr(0, quote);
      next_line_ += std::ranges::count(rest_.substr(0, quote), '\n');
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) return value;
      value += '"';
      rest_.remove_prefix(1);
    }
  }

  std::string take(std::size_t size) {
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }

  std::string_view rest_;
  std::string_view file_;
  std::size_t line_ = 1;
  std::size_t next_line_ = 1;
};

}  // namespace

std::expected<std::vector<std::string>, std::string> read_csv_column(std::string_view text,
                                                                     std::string_view file,
                                                                     std::string_view column) {
  if (text.size() > kCsvBytesMax) return std::unexpected(fmt::format("{}: above 16 MiB", file));
  Rows rows(text, file);
  if (rows.at_end()) return rows.refuse("empty: its first line names the columns");
  const auto names = rows.next();
  if (!names) return std::unexpected(names.error());
  const auto found = std::ranges::find(*names, column);
  if (found == names->end()) {
    return rows.refuse(
        fmt::format("no column '{}': there are {}", column, fmt::join(*names, ", ")));
  }
  const auto index = static_cast<std::size_t>(found - names->begin());
  std::vector<std::string> values;
  while (!rows.at_end()) {
    auto row = rows.next();
    if (!row) return std::unexpected(row.error());
    if (row->size() == 1 && row->front().empty() && names->size() > 1) continue;
    if (row->size() != names->size()) {
      return rows.refuse(fmt::format("{} values, and the first line names {} columns", row->size(),
                                     names->size()));
    }
    std::string& value = (*row)[index];
    if (value.size() > kCsvValueBytesMax) return rows.refuse("a value above 16 KiB");
    if (!ws::is_utf8(proto::as_bytes(value))) return rows.refuse("not UTF-8");
    if (values.size() == kCsvRowsMax) return rows.refuse("more than 1000000 rows");
    values.push_back(std::move(value));
  }
  if (values.empty()) return rows.refuse("no row behind the names of the columns");
  return values;
}

}  // namespace load
