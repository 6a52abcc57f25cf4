// Text from the network, made safe for a log line: `log.info("path={}", Quoted(path))`.
// Puts it into double quotes; escapes quotes, backslashes, control and non-ASCII bytes (\xNN); what
// is over the limit is cut and ends in "..." behind the quote. So no peer can forge a line or
// field. A type, not a function: a function's name would also be looked up where its argument's
// type is at home, and namespace std has a `quoted`, too.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string_view>

namespace gateway {

// The view must live until the line is logged.
class Quoted {
 public:
  // Of the text, before escaping. Whoever keeps a text for the log keeps one byte more, so that the
  // line shows that it was cut.
  static constexpr std::size_t kBytesMax = 1024;

  constexpr explicit Quoted(std::string_view text) : text_(text) {}

  constexpr std::string_view shown() const { return text_.substr(0, kBytesMax); }
  constexpr bool is_cut() const { return text_.size() > kBytesMax; }

 private:
  std::string_view text_;
};

}  // namespace gateway

template <>
struct fmt::formatter<gateway::Quoted> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }

  template <typename Context>
  auto format(const gateway::Quoted& value, Context& context) const {
    auto out = context.out();
    *out++ = '"';
    for (const char c : value.shown()) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        *out++ = '\\';
        *out++ = c;
      } else if (byte < 0x20 || byte >= 0x7f) {
        out = fmt::format_to(out, "\\x{:02x}", byte);
      } else {
        *out++ = c;
      }
    }
    *out++ = '"';
    if (value.is_cut()) out = fmt::format_to(out, "...");
    return out;
  }
};
