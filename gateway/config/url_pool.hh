// A server that the configuration names by an URL: a pool of its own stands for it, so that its
// name is looked up again, and its connections are made, as those of all servers.
#pragma once

#include <optional>
#include <string>

#include "gateway/config/sections.hh"

namespace gateway::config {

struct UrlServer {
  std::size_t pool;  // index into Config::pools; who names the same server has the same one
  std::string host;  // as Host has it
  std::string path;  // with the query, if there is one
};

// "http://HOST[:PORT]/PATH", or https, whose server has to prove its name by the system's CAs.
// Nothing: it has been reported; `example` is what errors show.
std::optional<UrlServer> server_of_url(TableReader& table, const Text& url,
                                       std::string_view example, const Surroundings& around,
                                       Config& config);

}  // namespace gateway::config
