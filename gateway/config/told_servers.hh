// What `gateway servers` has set, and the file that it is kept in ([control] state), as TOML:
//
//   [pool.chat]
//   file = ["10.0.0.1:9001"]                        # the configuration's, when it was told
//   servers = ["10.0.0.7:9001=2", "10.0.0.8:9001"]
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/server_entry.hh"

namespace gateway::config {

struct ToldPool {
  std::string file;  // print_entries() of the configuration's
  std::vector<ServerEntry> servers;
};
using ToldServers = std::map<std::string, ToldPool>;  // by pool

// All that was written of a pool's servers: equal where they are.
std::string print_entries(const std::vector<ServerEntry>& entries);

std::string print_told_servers(const ToldServers& told);
// `file` is what errors call it. Names are not looked up. Fails with a whole sentence.
std::expected<ToldServers, std::string> told_servers_from(std::string_view text,
                                                          const std::string& file);

}  // namespace gateway::config
