#include "gateway/rewrite/redaction.hh"

#include <algorithm>

#include "proto/http/syntax.hh"

namespace gateway {

namespace {

bool is_name(std::string_view in_query, std::string_view name) {
  std::size_t at = 0;
  for (const char wanted : name) {
    if (at == in_query.size()) return false;
    char c = in_query[at];
    if (c == '%' && at + 2 < in_query.size()) {
      const auto high = http::hex_value(in_query[at + 1]);
      const auto low = http::hex_value(in_query[at + 2]);
      if (high && low) {
        c = static_cast<char>(*high << 4 | *low);
        at += 2;
      }
    }
    if (c != wanted) return false;
    ++at;
  }
  return at == in_query.size();
}

// What some call "apiKey" is no less a secret.
bool is_same_but_case(char one, char other) {
  return http::to_lower(one) == http::to_lower(other);
}

// A character of a query. A value may have another query in it, percent-encoded or not, and that
// one another: `depth` says how often it is encoded.
struct Mark {
  char c;
  std::size_t bytes;
  unsigned depth;
};

Mark mark_at(std::string_view text, std::size_t at) {
  const Mark as_it_is{text[at], 1, 0};
  if (text[at] != '%') return as_it_is;
  unsigned depth = 1;
  std::size_t end = at + 1;
  for (; text.substr(end).starts_with("25"); end += 2) ++depth;
  if (text.size() - end < 2) return as_it_is;
  const auto high = http::hex_value(text[end]);
  const auto low = http::hex_value(text[end + 1]);
  if (!high || !low) return as_it_is;
  return {static_cast<char>(*high << 4 | *low), end + 2 - at, depth};
}

// What neither encodes a character nor is a border of anything.
constexpr http::ByteSet kPlainBytes([](unsigned char byte) {
  return std::string_view("%=?&;# ").find(static_cast<char>(byte)) == std::string_view::npos;
});

// However often a character of it is encoded.
bool is_secret(std::string_view in_query, std::span<const std::string> names) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    std::size_t at = 0;
    for (const char wanted : name) {
      if (at == in_query.size()) return false;
      const Mark mark = mark_at(in_query, at);
      if (!is_same_but_case(mark.c, wanted)) return false;
      at += mark.bytes;
    }
    return at == in_query.size();
  });
}

// Where the value ends that begins at `at`, behind a "=" of that depth. What is encoded more often
// than that is a part of it. Some servers take ";" for the border of a parameter, too.
std::size_t end_of_value(std::string_view text, std::size_t at, unsigned depth) {
  while (at < text.size()) {
    const Mark mark = mark_at(text, at);
    const bool ends = mark.c == '&' || mark.c == ';' || (mark.c == ' ' && mark.depth == 0);
    if (ends && mark.depth <= depth) break;
    at += mark.bytes;
  }
  return at;
}

}  // namespace

bool is_parameter(std::string_view in_query, std::string_view name) {
  return is_name(in_query, name);
}

std::string_view redacted(std::string_view text, std::span<const std::string> names,
                          std::string& storage) {
  const std::size_t query = text.find('?');
  if (query == text.npos || names.empty()) return text;
  storage.clear();
  std::size_t told = 0;  // of the text, up to here
  std::size_t name = query + 1;
  for (std::size_t at = name;;) {
    at += kPlainBytes.prefix(text.substr(at));
    if (at == text.size()) break;
    const Mark mark = mark_at(text, at);
    const std::size_t behind = at + mark.bytes;
    if (mark.c == '=' && is_secret(text.substr(name, at - name), names)) {
      storage.append(text.substr(told, behind - told)).append("***");
      at = name = told = end_of_value(text, behind, mark.depth);
      continue;
    }
    // Whatever a name may stand behind.
    if (std::string_view("?&;#= ").find(mark.c) != std::string_view::npos) name = behind;
    at = behind;
  }
  if (told == 0) return text;
  storage.append(text.substr(told));
  return storage;
}

}  // namespace gateway
