// A JSON text (RFC 8259) as a flat list of its values, read strictly and within bounds: what two
// readers could take in two ways (a name given twice, bytes that are no UTF-8, anything behind the
// value) is refused. nlohmann's parser stands behind it, which keeps no stack of calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jwt {

struct JsonLimits {
  std::size_t depth = 8;
  std::size_t values = 256;
};

class Json {
 public:
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kObject, kArray };

  struct Value {
    Kind kind;
    std::size_t parent;  // its index; its own, where it has none
    std::string name;    // in an object
    std::string text;    // of a string; of a number as it was written; "true" or "false"
    double number = 0;
  };

  // Nothing: it is no such text, or beyond the limits.
  static std::optional<Json> parse(std::string_view text, JsonLimits limits = {});

  const Value& root() const { return values_.front(); }
  // The member of an object; null: there is none, or it is no object.
  const Value* member(const Value& object, std::string_view name) const;
  // From the root down, by names of members; null: there is none.
  const Value* find(std::span<const std::string> path) const;
  // Those of an array or an object, in their order.
  std::vector<const Value*> children(const Value& of) const;

 private:
  class Reader;
  std::size_t index_of(const Value& value) const {
    return static_cast<std::size_t>(&value - values_.data());
  }

  std::vector<Value> values_;  // each behind its parent
};

}  // namespace jwt
