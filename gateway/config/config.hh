// The configuration as the gateway works with it: plain data, complete with its defaults.
// Read once (config/reader.hh), then held by a shared_ptr<const Config>: a snapshot never changes.
// A request keeps the snapshot it took at its head, so pointers into it live as long as that does.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/address.hh"
#include "gateway/config/router.hh"
#include "gateway/log/level.hh"

namespace gateway::config {

// Where something is written in the configuration file; both count from 1, 0 means nowhere.
struct Place {
  unsigned line = 0;
  unsigned column = 0;
};

// Both paths are absolute and may be the same file; it could be read when the configuration was.
struct Certificate {
  std::string chain_path;
  std::string key_path;
  Place place;
};

struct Tls {
  bool self_signed = false;               // made in memory at start; `certificates` is then empty
  std::vector<Certificate> certificates;  // the first serves clients that name no known host
};

struct Listener {
  Address address;  // [::] takes IPv4 as well: IPV6_V6ONLY stays off
  std::optional<Tls> tls;
  Place place;
};

struct Server {
  std::string text;                // "app.internal:9001", as written: its name in logs
  std::vector<Address> addresses;  // at least one, in the order to try them
};

struct Pool {
  std::string name;
  std::vector<Server> servers;  // at least one
};

struct Route {
  std::string name;                // unique; as given, or "route-1", "route-2" by position
  std::vector<std::string> hosts;  // lower-case, exact or "*.SUFFIX"; empty: any host
  std::string path = "/";          // a prefix on segment borders, without a slash at its end
  size_t pool = 0;                 // index into Config::pools
};

// None is 0 but websocket_idle, where it means "off".
struct Timeouts {
  std::chrono::milliseconds tls_handshake{10'000};
  std::chrono::milliseconds request_header{15'000};
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds upstream_response{60'000};  // until the head of the response is there
  std::chrono::milliseconds websocket_idle{600'000};    // no byte either way
};

struct LogSettings {
  std::string file = "stderr";  // or an absolute path
  LogLevel level = LogLevel::info;
  size_t buffer_bytes = 256 * 1024;  // per shard; what does not fit is dropped and counted
};

struct Config {
  std::string file;     // the file it came from, as named on the command line
  unsigned shards = 0;  // 0: one for each core this process may use
  std::vector<Listener> listeners;
  std::vector<Pool> pools;
  std::vector<Route> routes;
  Timeouts timeouts;
  LogSettings log;
  Router router;  // over `routes`

  // The route of a request, or null. `host` is lower-case and without a port (empty: none given),
  // `path` is normalised and begins with a slash. The pointer lives as long as this object.
  const Route* match(std::string_view host, std::string_view path) const;
};

using Snapshot = std::shared_ptr<const Config>;

}  // namespace gateway::config
