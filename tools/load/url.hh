// ws://host[:port][/path] and wss://host[:port][/path] (RFC 6455 section 3).
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "tools/common/address.hh"

namespace load {

struct Url {
  bool secure = false;
  tools::HostPort host_port;
  std::string authority;  // as written, for Host
  std::string target;     // path and query
};

std::expected<Url, std::string> parse_url(std::string_view text);

}  // namespace load
