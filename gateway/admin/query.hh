// The query of a request's target, "a=1&b=two%20words", taken apart. Each name is asked for once;
// what nobody has asked for is told as unknown, so that a filter that is misspelt never means
// everything.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::admin {

class Query {
 public:
  static constexpr std::size_t kPairsMax = 64;

  // `text` is without the "?". Fails with a sentence: what is escaped wrongly, given twice, or too
  // much.
  static std::expected<Query, std::string> parse(std::string_view text);

  // The value, which may be empty; nothing where the name is not there.
  std::optional<std::string> take(std::string_view name);
  bool empty() const { return pairs_.empty(); }
  // The first name that nobody has taken.
  std::optional<std::string> unknown() const;

 private:
  using Pair = std::pair<std::string, std::string>;

  std::vector<Pair> pairs_;
};

// "/pools/a%2Fb": its segments, {"pools", "a/b"}; nothing where it is no path, or a longer one than
// any of the listener's.
std::optional<std::vector<std::string>> segments_of(std::string_view path);

// Percent-encoding taken back (RFC 3986 section 2.1); nothing where it is none. `plus_is_blank`: as
// forms have it.
std::optional<std::string> decode_percent(std::string_view text, bool plus_is_blank);

}  // namespace gateway::admin
