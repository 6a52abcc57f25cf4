#include "tools/echo/query.hh"

#include <charconv>

#include "proto/http/syntax.hh"

namespace echo {

std::optional<std::string_view> Query::find(std::string_view name) const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) != name) continue;
    return pair.substr(std::min(equals + 1, pair.size()));
  }
  return std::nullopt;
}

std::string Query::text(std::string_view name, std::string_view otherwise) const {
  const auto raw = find(name);
  if (!raw) return std::string(otherwise);
  std::string decoded;
  for (std::size_t at = 0; at < raw->size(); ++at) {
    const char c = (*raw)[at];
    if (c == '%' && at + 2 < raw->size()) {
      const auto high = http::hex_value((*raw)[at + 1]);
      const auto low = http::hex_value((*raw)[at + 2]);
      if (high && low) {
        decoded += static_cast<char>(*high << 4 | *low);
        at += 2;
        continue;
      }
    }
    decoded += c == '+' ? ' ' : c;
  }
  return decoded;
}

std::uint64_t Query::number(std::string_view name, std::uint64_t otherwise) const {
  const auto raw = find(name);
  if (!raw) return otherwise;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(raw->data(), raw->data() + raw->size(), value);
  return error == std::errc{} && end == raw->data() + raw->size() ? value : otherwise;
}

}  // namespace echo
