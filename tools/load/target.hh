// What is to be loaded: a URL, or a path of a Unix socket, and its weight among others.
//
//     ws://host[:port][/path]     wss://   http://   https://
//     [ws+|wss+|http+|https+]unix:/path/of.sock[:/path]
//     ...;weight=3
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "tools/common/address.hh"

namespace load {

struct Target {
  std::string text;  // as it was written, without its weight
  double weight = 1;
  bool websocket = true;  // else plain HTTP
  bool secure = false;
  std::string socket_path;    // of a Unix socket; empty: TCP
  tools::HostPort host_port;  // with TCP
  std::string authority;      // as written, for Host
  std::string path;           // path and query
  tools::Address address;     // once resolved
};

std::expected<Target, std::string> parse_target(std::string_view text);

// Finds its address; waits for the name server where it has a name.
std::expected<void, std::string> resolve(Target& target);

}  // namespace load
