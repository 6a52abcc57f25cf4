// One table of the configuration file while it is read. Each getter takes the keys it is asked for;
// what nobody took by the end of the table is reported as unknown. A getter that finds a wrong
// value reports it and leaves the default, so that reading goes on and all errors are told at once.
// Views into the parsed file: none of this outlives the toml::table.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "gateway/config/config.hh"
#include "gateway/config/reader.hh"

namespace gateway::config {

// Gathers the errors and warnings of one file, in its order; those about the whole file come last.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}
  void add(Place place, std::string message) { add_to(errors_, place, std::move(message)); }
  void warn(Place place, std::string message) { add_to(warnings_, place, std::move(message)); }
  size_t count() const { return errors_.size(); }
  Errors take() { return std::move(errors_); }
  std::vector<std::string> take_warnings();

 private:
  void add_to(Errors& list, Place place, std::string message) const;

  std::string file_;
  Errors errors_;
  Errors warnings_;
};

// A value, and where it is written.
struct Text {
  std::string value;
  Place place;
};

class TableReader {
 public:
  // `label` is how errors call the table: "[[listen]]"; empty for the file itself. `outer` is the
  // table around it, if any, and outlives it: a key that belongs there is told so.
  TableReader(const toml::table& table, std::string label, Report& report,
              const TableReader* outer = nullptr);
  ~TableReader();  // reports the keys that nobody took
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  Place place() const;                      // of the table
  Place place(std::string_view key) const;  // of a key's value; of the table where it is absent
  bool has(std::string_view key) const { return table_.contains(key); }
  const std::string& label() const { return label_; }
  Report& report() const { return report_; }

  // Absent or wrong: nothing. No string is ever empty.
  std::optional<Text> text(std::string_view key);
  // The same; absent is an error that shows the example, which is written as in the file.
  std::optional<Text> required_text(std::string_view key, std::string_view example);
  // A string, or a list; of at least one, unless it may be empty.
  std::vector<Text> texts(std::string_view key, std::string_view example,
                          bool may_be_empty = false);
  // One of the words: its position.
  std::optional<size_t> choice(std::string_view key, std::span<const std::string_view> words);

  // These leave `value` as it is where the key is absent or wrong.
  void duration(std::string_view key, std::chrono::milliseconds& value);  // 1ms to 24h
  void duration(std::string_view key, std::chrono::milliseconds least,
                std::chrono::milliseconds most, std::chrono::milliseconds& value);
  void duration_or_off(std::string_view key, std::chrono::milliseconds& value);  // "off" is 0
  void duration_or_off(std::string_view key, std::chrono::milliseconds least,
                       std::chrono::milliseconds most, std::chrono::milliseconds& value);
  void size(std::string_view key, size_t least, size_t most, size_t& value);
  void size_or_off(std::string_view key, size_t most, std::uint64_t& value);  // from 1B; "off" is 0
  void count(std::string_view key, size_t most, size_t& value);               // from 1
  void count_or_auto(std::string_view key, unsigned most, unsigned& value);   // "auto" is 0
  void count_or_off(std::string_view key, std::uint64_t most, std::uint64_t& value);  // "off" is 0
  void boolean(std::string_view key, bool& value);

  // Tables in this table: [KEY], each [[KEY]], each [KEY.NAME]. What stands before them in the file
  // is to be taken first, so that a key that went astray behind them is told where it belongs.
  void inner(std::string_view key, const std::function<void(TableReader&)>& read);
  void each(std::string_view key, const std::function<void(TableReader&)>& read);
  void named(std::string_view key, const std::function<void(const Text&, TableReader&)>& read);

  // Whoever gives the key in this table is told where it belongs, unless it is one of its own.
  void elsewhere(std::string_view key, std::string where);

  // The raw value, for a key of its own shape; null if absent.
  const toml::node* take(std::string_view key);
  // The text of a node that has to be a string; "what" completes "NAME must be ".
  std::optional<Text> text_of(const toml::node& node, std::string_view name, std::string_view what);
  // The same, and it may be empty.
  std::optional<Text> any_text_of(const toml::node& node, std::string_view name,
                                  std::string_view what);
  // `what` completes "NAME must be ".
  void wrong_type(const toml::node& node, std::string_view name, std::string_view what);

 private:
  // Each in both its forms; `word` stands for 0, and is empty where there is none.
  void duration(std::string_view key, std::chrono::milliseconds least,
                std::chrono::milliseconds most, bool may_be_off, std::chrono::milliseconds& value);
  void size(std::string_view key, size_t least, size_t most, bool may_be_off, std::uint64_t& value);
  void count(std::string_view key, std::uint64_t most, std::string_view word, std::uint64_t& value);
  // How errors call a table in this one.
  std::string label_of(std::string_view key) const;
  std::string advice_on_unknown(std::string_view key) const;

  const toml::table& table_;
  const std::string label_;
  Report& report_;
  const TableReader* const outer_;
  std::vector<std::string_view> known_;
  std::map<std::string_view, std::string> elsewhere_;
};

Place place_of(const toml::source_region& region);

}  // namespace gateway::config
