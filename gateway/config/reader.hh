// Reads gateway.conf (TOML) into a Config and writes one back. All errors of meaning are told at
// once, each with its place; a syntax error ends the reading. Nothing throws out of here.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/config/file.hh"
#include "gateway/config/resolver.hh"

namespace gateway::config {

struct Error {
  std::string file;
  Place place;  // line 0: the file as a whole
  std::string message;

  // "gateway.conf:12:3: error: unknown key 'adress' in [[listen]]; did you mean 'address'?"
  std::string text(std::string_view kind = "error") const;
};

using Errors = std::vector<Error>;  // in the order of the file

// Blocks while it resolves the servers' names: not for a shard. All files that it has read are
// noted in `files`, whatever is wrong with them.
std::expected<Config, Errors> read_file(const std::filesystem::path& file,
                                        const Resolve& resolve = resolve_by_system,
                                        FilesRead* files = nullptr);

// `file` is what errors call it; relative paths in it are taken from its folder.
std::expected<Config, Errors> read_text(std::string_view toml, const std::filesystem::path& file,
                                        const Resolve& resolve = resolve_by_system);

// Where the gateway that runs with the file has its control socket, whatever else is wrong with the
// file by now, its syntax excepted.
std::expected<std::string, Error> read_control_socket(const std::filesystem::path& file);

// The effective configuration as TOML, every default filled in; reads back as the same.
std::string to_toml(const Config& config);

// Whether this process can become whom the configuration names. For a start: a process that has
// become one user becomes no other.
std::expected<void, Error> check_account(const Config& config);

// The number of shards to start: as configured, or the cores this process may use.
unsigned shard_count(const Config& config);

}  // namespace gateway::config
