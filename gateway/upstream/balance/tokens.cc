#include "gateway/upstream/balance/tokens.hh"

#include <fmt/format.h>

#include <iterator>

#include "proto/digest.hh"

namespace gateway::balance {

std::string make_token(std::string_view secret, std::string_view pool, std::string_view server) {
  // No pool's name has a zero.
  std::string named(pool);
  named.append(1, '\0').append(server);
  const auto digest = proto::hmac_sha256(proto::as_bytes(secret), proto::as_bytes(named));
  std::string token;
  for (std::size_t at = 0; at < kTokenBytes / 2; ++at) {
    fmt::format_to(std::back_inserter(token), "{:02x}", std::to_integer<unsigned>(digest[at]));
  }
  return token;
}

}  // namespace gateway::balance
