// JSON pointers (RFC 6901), and the scalar values that they find in a message. It is read once from
// its front, nothing of it is kept but these values, and reading ends with the last of them: so one
// at the beginning of a long message costs little. A message is hostile: who asks bounds its size.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace load {

class JsonPointer {
 public:
  // "/data/id", or "" for the whole message. The error says what is wrong, and how one is written.
  static std::expected<JsonPointer, std::string> parse(std::string_view text);

  const std::string& text() const { return text_; }
  // From the outermost on, without escapes.
  const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  std::string text_;
  std::vector<std::string> tokens_;
};

struct JsonScalar {
  enum class Kind : std::uint8_t {
    kAbsent,
    kNull,
    kNumber,
    kText,
    kOther,  // an object, an array, true or false
  };
  Kind kind = Kind::kAbsent;
  std::string text;  // of a number or a text
};

// Writes to `found` what each pointer finds; a whole number has no fraction and no exponent.
// False: the message is no JSON, as far as it was read. Precondition: both are of one size.
bool find_scalars(std::string_view json, std::span<const JsonPointer> pointers,
                  std::span<JsonScalar> found);

}  // namespace load
