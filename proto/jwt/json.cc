#include "proto/jwt/json.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace jwt {

// What nlohmann's parser calls, for each value; false ends it.
class Json::Reader {
 public:
  using Text = nlohmann::json;

  Reader(Json& json, JsonLimits limits) : json_(json), limits_(limits) {}

  bool null() { return add(Kind::kNull, "null"); }
  bool boolean(bool value) { return add(Kind::kBoolean, value ? "true" : "false"); }
  bool number_integer(Text::number_integer_t value) {
    return add(Kind::kNumber, std::to_string(value), static_cast<double>(value));
  }
  bool number_unsigned(Text::number_unsigned_t value) {
    return add(Kind::kNumber, std::to_string(value), static_cast<double>(value));
  }
  bool number_float(Text::number_float_t value, const std::string& text) {
    return add(Kind::kNumber, text, value);
  }
  bool string(std::string& value) { return add(Kind::kString, std::move(value)); }
  bool binary(Text::binary_t&) { return false; }
  bool start_object(std::size_t) { return begin(Kind::kObject); }
  bool start_array(std::size_t) { return begin(Kind::kArray); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }
  bool key(std::string& name) {
    const Value& object = json_.values_[open_.back()];
    if (json_.member(object, name) != nullptr) return false;
    name_ = std::move(name);
    return true;
  }
  template <class Failure>
  bool parse_error(std::size_t, const std::string&, const Failure&) {
    return false;
  }

 private:
  bool add(Kind kind, std::string text, double number = 0) {
    if (json_.values_.size() == limits_.values) return false;
    const std::size_t parent = open_.empty() ? 0 : open_.back();
    json_.values_.push_back({kind, parent, std::exchange(name_, {}), std::move(text), number});
    return true;
  }
  bool begin(Kind kind) {
    if (open_.size() == limits_.depth || !add(kind, {})) return false;
    open_.push_back(json_.values_.size() - 1);
    return true;
  }
  bool end() {
    open_.pop_back();
    return true;
  }

  Json& json_;
  const JsonLimits limits_;
  std::vector<std::size_t> open_;
  std::string name_;
};

std::optional<Json> Json::parse(std::string_view text, JsonLimits limits) {
  // The parser would pass over a mark of the byte order (RFC 8259 section 8.1).
  if (text.starts_with("\xef\xbb\xbf")) return std::nullopt;
  // ... and take a NUL for the end of the text.
  if (text.find('\0') != text.npos) return std::nullopt;
  Json json;
  Reader reader(json, limits);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &reader)) return std::nullopt;
  return json;
}

const Json::Value* Json::member(const Value& object, std::string_view name) const {
  if (object.kind != Kind::kObject) return nullptr;
  const std::size_t parent = index_of(object);
  for (std::size_t index = parent + 1; index < values_.size(); ++index) {
    if (values_[index].parent == parent && values_[index].name == name) return &values_[index];
  }
  return nullptr;
}

const Json::Value* Json::find(std::span<const std::string> path) const {
  const Value* value = &root();
  for (const std::string& name : path) {
    value = member(*value, name);
    if (value == nullptr) return nullptr;
  }
  return value;
}

std::vector<const Json::Value*> Json::children(const Value& of) const {
  std::vector<const Value*> found;
  const std::size_t parent = index_of(of);
  for (std::size_t index = parent + 1; index < values_.size(); ++index) {
    if (values_[index].parent == parent) found.push_back(&values_[index]);
  }
  return found;
}

}  // namespace jwt
