// Text from the network, made safe for a log line: `log.info("path={}", quoted(path, 256))`.
// Puts it into double quotes; escapes quotes, backslashes, control and non-ASCII bytes (\xNN); what
// is over the limit is cut and ends in "..." behind the quote. So no peer can forge a line or
// field.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string_view>

namespace gateway {

struct Quoted {
  std::string_view text;
  size_t bytes_max;  // of the text, before escaping
};

// The view must live until the line is logged.
constexpr Quoted quoted(std::string_view text, size_t bytes_max = 256) {
  return {text, bytes_max};
}

}  // namespace gateway

template <>
struct fmt::formatter<gateway::Quoted> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }

  template <typename Context>
  auto format(const gateway::Quoted& value, Context& context) const {
    auto out = context.out();
    *out++ = '"';
    for (const char c : value.text.substr(0, value.bytes_max)) {
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
    if (value.text.size() > value.bytes_max) out = fmt::format_to(out, "...");
    return out;
  }
};
