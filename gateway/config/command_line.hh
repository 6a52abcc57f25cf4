// A configuration without a file: where clients come in and where their requests go, as the command
// line says it. Everything else has its default.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "gateway/config/reader.hh"

namespace gateway::config {

struct CommandLine {
  // http://HOST:PORT, https://HOST:PORT or unix:PATH. HOST is an IP address; without one it is all
  // of the machine's.
  std::vector<std::string> from;
  // HOST:PORT, http://HOST:PORT, https://HOST:PORT or unix:PATH: the servers of one pool.
  std::vector<std::string> to;
  std::string chain_path;  // of https; empty: self-signed
  std::string key_path;    // empty: the key is in the file of the chain
};

// `from` and `to` are not empty. Relative paths are taken from the working folder. Errors call the
// option their file: "--from: error: ...". Blocks while it resolves names. The files that it has
// read are noted in `files`.
std::expected<Config, Errors> from_command_line(const CommandLine& line,
                                                const Resolve& resolve = resolve_by_system,
                                                FilesRead* files = nullptr);

}  // namespace gateway::config
