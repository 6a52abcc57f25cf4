#include "gateway/rewrite/redaction.hh"

#include <algorithm>

#include "proto/http/syntax.hh"

namespace gateway {

namespace {

template <class IsSame>
bool is_name(std::string_view in_query, std::string_view name, IsSame is_same) {
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
    if (!is_same(c, wanted)) return false;
    ++at;
  }
  return at == in_query.size();
}

// What some call "apiKey" is no less a secret.
bool is_same_but_case(char one, char other) {
  return http::to_lower(one) == http::to_lower(other);
}

}  // namespace

bool is_parameter(std::string_view in_query, std::string_view name) {
  return is_name(in_query, name, [](char one, char other) { return one == other; });
}

std::string_view redacted(std::string_view text, std::span<const std::string> names,
                          std::string& storage) {
  const std::size_t query = text.find('?');
  if (query == text.npos || names.empty()) return text;
  storage.assign(text.substr(0, query + 1));
  std::string_view rest = text.substr(query + 1);
  bool hidden = false;
  while (!rest.empty()) {
    // Some servers take ";" for the border of a parameter, too.
    const std::string_view parameter = rest.substr(0, rest.find_first_of("&; "));
    const std::string_view name = parameter.substr(0, parameter.find('='));
    const bool hides =
        name.size() < parameter.size() && std::ranges::any_of(names, [&](const std::string& one) {
          return is_name(name, one, is_same_but_case);
        });
    hidden = hidden || hides;
    storage.append(hides ? name : parameter);
    if (hides) storage.append("=***");
    rest.remove_prefix(parameter.size());
    if (rest.empty()) break;
    storage.push_back(rest.front());
    rest.remove_prefix(1);
  }
  return hidden ? std::string_view(storage) : text;
}

}  // namespace gateway
