#include "tools/load/json_pointer.hh"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace load {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPointerBytesMax = 1024;
// Whole numbers that a double has exactly.
constexpr double kWholeMax = 9007199254740992.0;

// Hears of each value of a message in turn, as nlohmann's SAX parser tells it. Of the path to it
// only that much is known which a pointer could still go along.
class Finder {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;
  using Kind = JsonScalar::Kind;

  Finder(std::span<const JsonPointer> pointers, std::span<JsonScalar> found)
      : pointers_(pointers), found_(found), matched_(pointers.size()), missing_(pointers.size()) {
    for (JsonScalar& each : found) each = {};
    std::size_t most = 0;
    for (const JsonPointer& each : pointers) most = std::max(most, each.tokens().size());
    levels_.resize(most);
  }

  bool is_json() const { return is_json_; }

  bool null() { return value(Kind::kNull, {}); }
  bool boolean(bool) { return value(Kind::kOther, {}); }
  bool number_integer(number_integer_t number) {
    return value(Kind::kNumber, std::to_string(number));
  }
  bool number_unsigned(number_unsigned_t number) {
    return value(Kind::kNumber, std::to_string(number));
  }
  bool number_float(number_float_t number, const string_t& text) {
    const bool whole = text.find_first_of(".eE") != std::string::npos &&
                       std::abs(number) < kWholeMax && number == std::trunc(number);
    return value(Kind::kNumber,
                 whole ? std::to_string(static_cast<std::int64_t>(number)) : text);
  }
  bool string(const string_t& text) { return value(Kind::kText, text); }
  bool binary(const binary_t&) { return value(Kind::kOther, {}); }

  bool start_object(std::size_t) { return start(false); }
  bool end_object() { return end(); }
  bool start_array(std::size_t) { return start(true); }
  bool end_array() { return end(); }
  bool key(const string_t& text) {
    if (depth_ <= levels_.size()) levels_[depth_ - 1].token = text;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception&) {
    is_json_ = false;
    return false;
  }

 private:
  struct Level {
    bool array = false;
    std::size_t index = 0;  // of the next element
    std::string token;      // of the value that comes, or is within
  };

  // False: nothing more is looked for.
  bool value(Kind kind, std::string_view text) {
    if (depth_ > levels_.size()) return true;
    if (depth_ > 0) {
      Level& level = levels_[depth_ - 1];
      if (level.array) level.token = std::to_string(level.index++);
    }
    for (std::size_t i = 0; i < pointers_.size(); ++i) match(i, kind, text);
    return missing_ > 0;
  }

  void match(std::size_t i, Kind kind, std::string_view text) {
    const std::vector<std::string>& tokens = pointers_[i].tokens();
    if (depth_ > tokens.size()) return;
    if (depth_ > 0) {
      if (matched_[i] + 1 < depth_) return;
      const bool goes_on = tokens[depth_ - 1] == levels_[depth_ - 1].token;
      matched_[i] = goes_on ? depth_ : depth_ - 1;
      if (!goes_on) return;
    }
    if (tokens.size() != depth_) return;
    // Of two members with one name the first is taken.
    if (found_[i].kind != Kind::kAbsent) return;
    found_[i] = {.kind = kind, .text = std::string(text)};
    --missing_;
  }

  bool start(bool array) {
    const bool goes_on = value(Kind::kOther, {});
    if (++depth_ <= levels_.size()) levels_[depth_ - 1] = {.array = array, .index = 0, .token = {}};
    return goes_on;
  }

  bool end() {
    --depth_;
    return true;
  }

  std::span<const JsonPointer> pointers_;
  std::span<JsonScalar> found_;
  std::vector<std::size_t> matched_;  // how many tokens of each the path has, from its beginning
  std::size_t missing_;
  std::vector<Level> levels_;
  std::size_t depth_ = 0;  // containers that are open
  bool is_json_ = true;
};

std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~';
    text += !escape ? token[i] : token[i + 1] == '0' ? '~' : '/';
    i += escape ? 1 : 0;
  }
  return text;
}

}  // namespace

std::expected<JsonPointer, std::string> JsonPointer::parse(std::string_view text) {
  bool valid = text.size() <= kPointerBytesMax && (text.empty() || text.starts_with('/'));
  for (std::size_t i = text.find('~'); i != std::string_view::npos; i = text.find('~', i + 1)) {
    const std::string_view next = text.substr(i + 1, 1);
    if (next != "0" && next != "1") valid = false;
  }
  if (!valid) {
    return std::unexpected("not a JSON pointer, such as /data/id: " + std::string(text));
  }
  JsonPointer pointer;
  pointer.text_ = text;
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view token = text.substr(0, text.find('/'));
    pointer.tokens_.push_back(unescaped(token));
    text.remove_prefix(token.size());
  }
  return pointer;
}

bool find_scalars(std::string_view json, std::span<const JsonPointer> pointers,
                  std::span<JsonScalar> found) {
  Finder finder(pointers, found);
  Json::sax_parse(json, &finder);
  return finder.is_json();
}

}  // namespace load
