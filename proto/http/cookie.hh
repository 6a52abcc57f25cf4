// Walks the cookies of one Cookie field as clients send them (RFC 6265 section 4.2.1), whatever
// they look like: a piece without "=" is a value without a name, as browsers have it. Views into
// the field's value; the caller bounds that.
#pragma once

#include <optional>
#include <string_view>

namespace http {

struct Cookie {
  std::string_view name;
  std::string_view value;  // without the quotes around it, if there are both
  std::string_view text;   // as it stands there, without the blanks around it
};

class CookieReader {
 public:
  explicit CookieReader(std::string_view field_value) : rest_(field_value) {}

  // Empty pieces are passed over.
  std::optional<Cookie> next() {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find(';');
      const std::string_view text = trimmed(rest_.substr(0, end));
      rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
      if (!text.empty()) return cookie_of(text);
    }
    return std::nullopt;
  }

 private:
  static constexpr std::string_view kBlanks = " \t";

  static std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  }
  static Cookie cookie_of(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == text.npos) return {.name = {}, .value = text, .text = text};
    std::string_view value = trimmed(text.substr(equals + 1));
    const bool is_quoted = value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
    if (is_quoted) value = value.substr(1, value.size() - 2);
    return {.name = trimmed(text.substr(0, equals)), .value = value, .text = text};
  }

  std::string_view rest_;
};

}  // namespace http
