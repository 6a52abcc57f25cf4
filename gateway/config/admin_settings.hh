// [admin]: the listener of those who run the gateway. Plain data, a part of Config.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/config/address.hh"
#include "gateway/config/listener_tls.hh"
#include "gateway/config/unix_file.hh"

namespace gateway::config {

struct AdminSettings {
  std::optional<Address> address;  // none: there is no such listener
  UnixFile unix_file;              // of a Unix socket
  std::optional<Tls> tls;
  std::vector<std::string> hosts;  // lower-case: names that it is asked for by, beside localhost
  std::string token_path;          // absolute; empty: there is no token
  std::string token;               // what the file held
  bool capture_payload = false;    // a capture of frames has what they carry

  // Whether it can be reached from this machine alone: over a loopback address or a Unix socket.
  bool is_local() const;
  bool asks_for_certificates() const { return tls && tls->clients && tls->clients->check.required; }
};

}  // namespace gateway::config
