// What the gateway may need of this machine, compared with what the machine allows: asked once at
// start, by the check as well. What will not suffice is a line with the value and the cure; nothing
// of it keeps the gateway from starting.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "gateway/config/config.hh"

namespace gateway {

struct Needs {
  std::size_t descriptors;  // that may be open
  std::size_t clients_max;  // that these are enough for, each with a connection to a server
  int backlog;              // of each listening socket
};

// Whole sentences. `root`: where /proc is found.
std::vector<std::string> look_at_machine(const Needs& needs, const config::Config& config,
                                         const std::filesystem::path& root = "/");

}  // namespace gateway
