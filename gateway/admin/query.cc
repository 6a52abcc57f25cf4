#include "gateway/admin/query.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace gateway::admin {
namespace {

constexpr std::size_t kSegmentsMax = 8;

}  // namespace

std::optional<std::vector<std::string>> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    if (path.front() != '/') return std::nullopt;
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment.empty() && path.empty()) break;
    auto decoded = decode_percent(segment, false);
    if (!decoded || segments.size() == kSegmentsMax) return std::nullopt;
    segments.push_back(*std::move(decoded));
  }
  return segments;
}

std::optional<std::string> decode_percent(std::string_view text, bool plus_is_blank) {
  constexpr int kHex = 16;
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c != '%') {
      decoded += plus_is_blank && c == '+' ? ' ' : c;
      continue;
    }
    if (text.size() - at < 3) return std::nullopt;
    unsigned char byte = 0;
    const char* const end = text.data() + at + 3;
    const auto [stop, error] = std::from_chars(text.data() + at + 1, end, byte, kHex);
    if (error != std::errc() || stop != end) return std::nullopt;
    decoded += static_cast<char>(byte);
    at += 2;
  }
  return decoded;
}

std::expected<Query, std::string> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t sign = pair.find('=');
    const auto name = decode_percent(pair.substr(0, sign), true);
    const auto value =
        decode_percent(sign == pair.npos ? std::string_view() : pair.substr(sign + 1), true);
    if (!name || !value)
      return std::unexpected(fmt::format("'{}' is not percent-encoded as RFC 3986 has it", pair));
    const bool is_twice =
        std::ranges::find(query.pairs_, *name, &Pair::first) != query.pairs_.end();
    if (is_twice) return std::unexpected(fmt::format("'{}' is given twice", *name));
    if (query.pairs_.size() == kPairsMax)
      return std::unexpected(fmt::format("a query may have {} names", kPairsMax));
    query.pairs_.emplace_back(*name, *value);
  }
  return query;
}

std::optional<std::string> Query::take(std::string_view name) {
  const auto found = std::ranges::find(pairs_, name, &Pair::first);
  if (found == pairs_.end()) return std::nullopt;
  std::string value = std::move(found->second);
  pairs_.erase(found);
  return value;
}

std::optional<std::string> Query::unknown() const {
  if (pairs_.empty()) return std::nullopt;
  return pairs_.front().first;
}

}  // namespace gateway::admin
