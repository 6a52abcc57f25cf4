// What a sticky cookie names a server by: a digest under a key, so that nobody learns from it, or
// makes up, where a server is; the same for all gateways that have the key, whatever the order of
// their lists.
#pragma once

#include <string>
#include <string_view>

namespace gateway::balance {

// In hexadecimal digits.
inline constexpr std::size_t kTokenBytes = 32;

std::string make_token(std::string_view secret, std::string_view pool, std::string_view server);

}  // namespace gateway::balance
