// The addresses that connections come from: each has all ports of its own for each target, so that
// several together have more connections than one has ports.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/address.hh"

namespace load {

inline constexpr std::size_t kSourcesMax = 4096;

// FIRST, or FIRST-LAST, of IPv4 or of IPv6: without ports. The error names what is wrong, and not
// the option.
std::expected<std::vector<tools::Address>, std::string> parse_sources(std::string_view text);

}  // namespace load
