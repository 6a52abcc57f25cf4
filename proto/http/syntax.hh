// The alphabet of HTTP/1.1: which bytes are tokens, text, targets and hex digits, and scanners that
// tell how long a run of them is, 16 bytes at a time. A scanner never reads past the text given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace http {

// A set of ASCII bytes. Bytes from 0x80 are never in it.
class ByteSet {
 public:
  template <class Predicate>
  constexpr explicit ByteSet(Predicate is_member) {
    for (unsigned byte = 0; byte < 128; ++byte) {
      if (is_member(static_cast<unsigned char>(byte))) {
        rows_[byte & 15] = static_cast<std::uint8_t>(rows_[byte & 15] | (1u << (byte >> 4)));
      }
    }
  }

  constexpr bool has(char c) const {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 128 && ((rows_[byte & 15] >> (byte >> 4)) & 1) != 0;
  }

  // How many leading bytes of the text are members.
  std::size_t prefix(std::string_view text) const;

 private:
  // By the byte's low four bits; in each row one bit for each value of the high ones: the form in
  // which a byte shuffle looks up 16 bytes at once.
  alignas(16) std::array<std::uint8_t, 16> rows_{};
};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_whitespace(char c) {
  return c == ' ' || c == '\t';
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
constexpr std::optional<unsigned> hex_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// RFC 9110 section 5.6.2.
inline constexpr ByteSet kTokenBytes([](unsigned char byte) {
  const char c = static_cast<char>(byte);
  return is_digit(c) || is_alpha(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
});

// A request target's bytes: visible ASCII without `#`. A little wider than RFC 3986, since browsers
// leave bytes such as `|` and `^` in a query as they are.
inline constexpr ByteSet kTargetBytes([](unsigned char byte) {
  return byte > 0x20 && byte < 0x7f && byte != '#';
});

// How many leading bytes are allowed in a field's value: everything but control bytes, with HTAB
// (RFC 9110 section 5.5).
std::size_t text_prefix(std::string_view text);

inline bool is_text(std::string_view text) {
  return text_prefix(text) == text.size();
}
inline bool is_token(std::string_view text) {
  return !text.empty() && kTokenBytes.prefix(text) == text.size();
}
namespace detail {
bool equal_ignoring_case(const char* left, const char* right, std::size_t size);
}
inline bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         detail::equal_ignoring_case(left.data(), right.data(), left.size());
}
std::string_view trim(std::string_view text);

}  // namespace http
