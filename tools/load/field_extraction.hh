// Fields that are taken out of a reply in JSON for later messages: `token=/data/token` names a
// field and says by a JSON pointer (RFC 6901) where in the reply its value is. A reply is hostile:
// it is bounded before it is parsed, and whatever is not there is an error with a kind.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace load {

struct Extraction {
  std::string name;       // in the template
  std::string pointer;    // valid
  std::size_t field = 0;  // its place among all fields of a connection
};

inline constexpr std::size_t kReplyBytesMax = 1 << 20;

// "NAME=/POINTER". The error says what is wrong, and how it is written.
std::expected<Extraction, std::string> parse_extraction(std::string_view text);

// Writes the values to `fields`, strings without their quotes and escapes, numbers and truths as
// JSON writes them. The error is a kind, without what the reply says. `fields` may have some of the
// values then. Precondition: each extraction's field is one of `fields`.
std::expected<void, std::string> extract(std::span<const Extraction> extractions,
                                         std::string_view reply, std::span<std::string> fields);

}  // namespace load
