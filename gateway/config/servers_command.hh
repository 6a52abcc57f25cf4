// What `gateway servers` asks for: as words, as the command line has them; as a line for the
// control socket of the gateway that runs; and as it is meant. Both ends check it, with the
// sentences of the configuration.
//
//   servers POOL set|add|remove <tab>SERVER[=WEIGHT] ...
//   servers POOL reset
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/server_entry.hh"

namespace gateway::config {

// With its end.
inline constexpr std::size_t kServersLineBytesMax = 16 * 1024;

// A pool's servers are these, these as well, these no more, or those of the file again.
enum class ServersVerb : std::uint8_t { set, add, remove, reset };

inline constexpr std::array<std::string_view, 4> kServersVerbNames = {"set", "add", "remove",
                                                                      "reset"};

struct ServersWords {
  std::string pool;
  std::string verb;
  std::vector<std::string> servers;
};

struct ServersCommand {
  std::string pool;
  ServersVerb verb = ServersVerb::set;
  std::vector<ServerEntry> entries;  // names are not looked up
};

// "10.0.0.7:9001=2": with a weight.
std::expected<ServerEntry, std::string> weighted_entry_from(const std::string& text,
                                                            const std::filesystem::path& folder);
// Reads back as the same.
std::string weighted_text_of(const ServerEntry& entry);

// Relative paths are taken from the folder.
std::expected<ServersCommand, std::string> servers_command(const ServersWords& words,
                                                           const std::filesystem::path& folder);
// Without a line end.
std::string line_of(const ServersCommand& command);
// Whether a line is one, if only by its first word.
bool is_servers_command(std::string_view line);
// Precondition: it is.
std::expected<ServersCommand, std::string> servers_command_from(std::string_view line);

}  // namespace gateway::config
