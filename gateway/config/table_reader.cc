#include "gateway/config/table_reader.hh"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "gateway/config/suggest.hh"
#include "gateway/config/units.hh"

namespace gateway::config {
namespace {

constexpr std::chrono::milliseconds kDurationMin{1};
constexpr std::chrono::milliseconds kDurationMax = std::chrono::hours(24);

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a point";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

Place place_of(const toml::source_region& region) {
  return {static_cast<unsigned>(region.begin.line), static_cast<unsigned>(region.begin.column)};
}

void Report::add_to(Errors& list, Place place, std::string message) const {
  const auto key = [](const Place& at) { return std::tuple(at.line == 0, at.line, at.column); };
  const auto behind = [&](const Place& at, const Error& other) {
    return key(at) < key(other.place);
  };
  const auto at = std::upper_bound(list.begin(), list.end(), place, behind);
  list.insert(at, {file_, place, std::move(message)});
}

std::vector<std::string> Report::take_warnings() {
  std::vector<std::string> texts;
  for (const Error& warning : warnings_) texts.push_back(warning.text("warning"));
  warnings_.clear();
  return texts;
}

TableReader::TableReader(const toml::table& table, std::string label, Report& report,
                         const TableReader* outer)
    : table_(table), label_(std::move(label)), report_(report), outer_(outer) {}

TableReader::~TableReader() {
  for (const auto& [key, value] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    const std::string where = label_.empty() ? "" : fmt::format(" in {}", label_);
    report_.add(place_of(key.source()), fmt::format("unknown key '{}'{}{}", key.str(), where,
                                                    advice_on_unknown(key.str())));
  }
}

// TOML has no way back out of a table, so a key that is added at the end of a file ends up in the
// last table: that is told, where nothing in this table resembles it.
std::string TableReader::advice_on_unknown(std::string_view key) const {
  const auto other = elsewhere_.find(key);
  if (other != elsewhere_.end()) return fmt::format("; it belongs in {}", other->second);
  std::string advice = did_you_mean(key, known_);
  if (!advice.empty()) return advice;
  for (const TableReader* outer = outer_; outer != nullptr; outer = outer->outer_) {
    const auto& keys = outer->known_;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) continue;
    if (outer->label_.empty()) return "; it belongs at the top of the file, before any table";
    return fmt::format("; it belongs in {}", outer->label_);
  }
  return {};
}

void TableReader::elsewhere(std::string_view key, std::string where) {
  elsewhere_.emplace(key, std::move(where));
}

Place TableReader::place() const {
  return place_of(table_.source());
}

Place TableReader::place(std::string_view key) const {
  const toml::node* const node = table_.get(key);
  return node == nullptr ? place() : place_of(node->source());
}

const toml::node* TableReader::take(std::string_view key) {
  known_.push_back(key);
  return table_.get(key);
}

void TableReader::wrong_type(const toml::node& node, std::string_view name, std::string_view what) {
  report_.add(place_of(node.source()),
              fmt::format("'{}' must be {}, not {}", name, what, type_name(node)));
}

std::optional<Text> TableReader::any_text_of(const toml::node& node, std::string_view name,
                                             std::string_view what) {
  if (const auto* const text = node.as_string()) return Text{text->get(), place_of(node.source())};
  wrong_type(node, name, what);
  return std::nullopt;
}

std::optional<Text> TableReader::text_of(const toml::node& node, std::string_view name,
                                         std::string_view what) {
  auto text = any_text_of(node, name, what);
  if (!text) return std::nullopt;
  if (text->value.empty()) {
    report_.add(text->place, fmt::format("'{}' must not be empty", name));
    return std::nullopt;
  }
  if (std::any_of(text->value.begin(), text->value.end(), is_control)) {
    report_.add(text->place, fmt::format("'{}' must not have control characters", name));
    return std::nullopt;
  }
  return text;
}

std::optional<Text> TableReader::text(std::string_view key) {
  const toml::node* const node = take(key);
  return node == nullptr ? std::nullopt : text_of(*node, key, "a string in quotes");
}

std::optional<Text> TableReader::required_text(std::string_view key, std::string_view example) {
  const toml::node* const node = take(key);
  if (node != nullptr) return text_of(*node, key, fmt::format("a string, such as {}", example));
  report_.add(place(), fmt::format("{} needs '{}', such as {} = {}", label_, key, key, example));
  return std::nullopt;
}

std::vector<Text> TableReader::texts(std::string_view key, std::string_view example,
                                     bool may_be_empty) {
  std::vector<Text> result;
  const toml::node* const node = take(key);
  if (node == nullptr) return result;
  const std::string what = fmt::format("a string or a list of strings, such as {}", example);
  const auto add = [&](const toml::node& one) {
    if (auto text = text_of(one, key, what)) result.push_back(*std::move(text));
  };
  const auto* const list = node->as_array();
  if (list == nullptr) {
    add(*node);
  } else if (list->empty() && !may_be_empty) {
    report_.add(place_of(node->source()), fmt::format("'{}' must not be an empty list", key));
  } else {
    for (const toml::node& one : *list) add(one);
  }
  return result;
}

std::optional<size_t> TableReader::choice(std::string_view key,
                                          std::span<const std::string_view> words) {
  const auto text = this->text(key);
  if (!text) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), text->value);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  report_.add(text->place,
              fmt::format("'{}' must be one of {}, not '{}'{}", key, fmt::join(words, ", "),
                          text->value, did_you_mean(text->value, words)));
  return std::nullopt;
}

void TableReader::duration(std::string_view key, std::chrono::milliseconds& value) {
  duration(key, kDurationMin, kDurationMax, false, value);
}

void TableReader::duration(std::string_view key, std::chrono::milliseconds least,
                           std::chrono::milliseconds most, std::chrono::milliseconds& value) {
  duration(key, least, most, false, value);
}

void TableReader::duration_or_off(std::string_view key, std::chrono::milliseconds& value) {
  duration(key, kDurationMin, kDurationMax, true, value);
}

void TableReader::duration_or_off(std::string_view key, std::chrono::milliseconds least,
                                  std::chrono::milliseconds most,
                                  std::chrono::milliseconds& value) {
  duration(key, least, most, true, value);
}

void TableReader::duration(std::string_view key, std::chrono::milliseconds least,
                           std::chrono::milliseconds most, bool may_be_off,
                           std::chrono::milliseconds& value) {
  const toml::node* const node = take(key);
  if (node == nullptr) return;
  const std::string_view or_off = may_be_off ? " or \"off\"" : "";
  const auto text =
      text_of(*node, key, fmt::format("a duration in quotes, such as \"30s\"{}", or_off));
  if (!text) return;
  if (may_be_off && text->value == "off") {
    value = std::chrono::milliseconds(0);
    return;
  }
  const auto parsed = parse_duration(text->value);
  if (!parsed) {
    report_.add(text->place, fmt::format("'{}' {}{}", text->value, parsed.error(), or_off));
  } else if (*parsed < least || *parsed > most) {
    report_.add(text->place,
                fmt::format("'{}' must be between {} and {}{}, not {}", key, print_duration(least),
                            print_duration(most), or_off, text->value));
  } else {
    value = *parsed;
  }
}

void TableReader::size(std::string_view key, size_t least, size_t most, size_t& value) {
  size(key, least, most, false, value);
}

void TableReader::size_or_off(std::string_view key, size_t most, std::uint64_t& value) {
  size(key, 1, most, true, value);
}

void TableReader::size(std::string_view key, size_t least, size_t most, bool may_be_off,
                       std::uint64_t& value) {
  const toml::node* const node = take(key);
  if (node == nullptr) return;
  const std::string_view or_off = may_be_off ? " or \"off\"" : "";
  const auto text =
      text_of(*node, key, fmt::format("a size in quotes, such as \"64KiB\"{}", or_off));
  if (!text) return;
  if (may_be_off && text->value == "off") {
    value = 0;
    return;
  }
  const auto parsed = parse_size(text->value);
  if (!parsed) {
    report_.add(text->place, fmt::format("'{}' {}{}", text->value, parsed.error(), or_off));
  } else if (*parsed < least || *parsed > most) {
    report_.add(text->place, fmt::format("'{}' must be between {} and {}{}, not {}", key,
                                         print_size(least), print_size(most), or_off, text->value));
  } else {
    value = *parsed;
  }
}

void TableReader::count(std::string_view key, size_t most, size_t& value) {
  count(key, most, "", value);
}

void TableReader::count_or_off(std::string_view key, std::uint64_t most, std::uint64_t& value) {
  count(key, most, "off", value);
}

void TableReader::count_or_auto(std::string_view key, unsigned most, unsigned& value) {
  std::uint64_t number = value;
  count(key, most, "auto", number);
  value = static_cast<unsigned>(number);
}

void TableReader::count(std::string_view key, std::uint64_t most, std::string_view word,
                        std::uint64_t& value) {
  const toml::node* const node = take(key);
  if (node == nullptr) return;
  const std::string or_word = word.empty() ? "" : fmt::format(" or \"{}\"", word);
  if (!word.empty() && node->value<std::string_view>() == word) {
    value = 0;
    return;
  }
  const auto* const number = node->as_integer();
  if (number == nullptr) {
    wrong_type(*node, key, fmt::format("a whole number{}", or_word));
  } else if (number->get() < 1 || static_cast<std::uint64_t>(number->get()) > most) {
    report_.add(place_of(node->source()), fmt::format("'{}' must be between 1 and {}{}, not {}",
                                                      key, most, or_word, number->get()));
  } else {
    value = static_cast<std::uint64_t>(number->get());
  }
}

void TableReader::boolean(std::string_view key, bool& value) {
  const toml::node* const node = take(key);
  if (node == nullptr) return;
  if (const auto* const truth = node->as_boolean()) {
    value = truth->get();
  } else {
    wrong_type(*node, key, "true or false");
  }
}

std::string TableReader::label_of(std::string_view key) const {
  const size_t start = label_.find_first_not_of('[');
  if (start == label_.npos) return fmt::format("[{}]", key);
  const std::string_view name = std::string_view(label_).substr(start);
  return fmt::format("[{}.{}]", name.substr(0, name.find(']')), key);
}

void TableReader::inner(std::string_view key, const std::function<void(TableReader&)>& read) {
  const toml::node* const node = take(key);
  if (node == nullptr) return;
  const auto* const inner = node->as_table();
  const std::string label = label_of(key);
  if (inner == nullptr) return wrong_type(*node, key, fmt::format("a table, {}", label));
  TableReader reader(*inner, label, report_, this);
  read(reader);
}

void TableReader::each(std::string_view key, const std::function<void(TableReader&)>& read) {
  const toml::node* const node = take(key);
  if (node == nullptr) return;
  const std::string label = fmt::format("[[{}]]", key);
  const std::string what = fmt::format("a table in double brackets, {}", label);
  const auto* const list = node->as_array();
  if (list == nullptr) return wrong_type(*node, key, what);
  for (const toml::node& one : *list) {
    if (const auto* const inner = one.as_table()) {
      TableReader reader(*inner, label, report_, this);
      read(reader);
    } else {
      wrong_type(one, key, what);
    }
  }
}

void TableReader::named(std::string_view key,
                        const std::function<void(const Text&, TableReader&)>& read) {
  const toml::node* const node = take(key);
  if (node == nullptr) return;
  const std::string what = fmt::format("a table with a name, such as [{}.app]", key);
  const auto* const outer = node->as_table();
  if (outer == nullptr) return wrong_type(*node, key, what);
  for (const auto& [name, value] : *outer) {
    const auto* const inner = value.as_table();
    if (inner == nullptr) {
      report_.add(place_of(name.source()),
                  fmt::format("unknown key '{}' in [{}], which must be {}", name.str(), key, what));
      continue;
    }
    TableReader reader(*inner, fmt::format("[{}.{}]", key, name.str()), report_, this);
    read({std::string(name.str()), place_of(name.source())}, reader);
  }
}

}  // namespace gateway::config
