// The sections of the configuration file, each read from its tables into the Config. All report
// what is wrong and go on; the Config counts only if nothing was reported.
#pragma once

#include <filesystem>

#include "gateway/config/config.hh"
#include "gateway/config/fields.hh"

namespace gateway::config {

// Absolute, taken from the folder of the configuration file.
std::filesystem::path path_from(const std::filesystem::path& folder, std::string_view path);

// Route, pool and server names appear in logs, metrics and reloads: letters, digits and "-_.".
bool is_name(std::string_view text);

// [[listen]], with a look at the certificates: that they are there, readable, and complete.
void read_listeners(Fields& file, const std::filesystem::path& folder, Config& config);

// [pool.NAME], with all names of servers resolved.
void read_pools(Fields& file, const Resolve& resolve, Config& config);

// [[route]]; the pools have been read.
void read_routes(Fields& file, Config& config);

}  // namespace gateway::config
