// The command line: flags into a plan, each error with the option's name and the cure. What flags
// say is shorthand for a scenario's file, so both end in the same plan.
#pragma once

#include <string>
#include <vector>

#include "tools/load/plan.hh"

namespace CLI {
class App;
}

namespace load {

// Where results go, and what must not be so.
struct Outputs {
  std::string json;  // a file, or "-"
  std::string junit;
  std::string hdr_log;
  std::string html;
  std::vector<std::string> gates;
  std::string objective;  // of a search for the highest rate
};

struct CommandLine {
  Plan plan;
  Outputs outputs;
  std::string scenario;               // `run`: a file
  std::vector<std::string> compared;  // `compare`: two files with results
  std::vector<std::string> merged;    // `merge`: histogram logs
};

// What options fill before they make a plan together.
struct Flags {
  std::vector<std::string> targets;
  std::vector<std::string> headers;
  std::vector<std::string> storms;
  std::vector<std::string> bad;
  std::vector<std::string> sources;
  std::vector<std::string> groups;
  std::string pattern = "echo";
  std::optional<std::string> message;
  std::optional<std::string> first;
  std::vector<std::string> extractions;
  std::optional<std::string> reply_id;
  std::string reply_if;
  std::string sent_at;
  std::string reconnect;
  std::string method;
  std::string certificate;
  std::string key;
  std::string verify = "off";
  bool hold = false;
  bool poisson = false;
  double rate = 0;
  double rate_each = 0;
  std::optional<Duration> duration;
  Duration ramp_up{0};
  Duration ramp_down{0};
};

// Exits as CLI11 does for --help; usage errors are thrown as CLI::Error.
void define(CLI::App& app, CommandLine& line, Flags& flags);

// What the flags come to; the error names the option. Reads files, and asks for names' addresses.
std::expected<void, std::string> complete(CommandLine& line, const Flags& flags);

// A header as it may be shown: the value of one that authorizes is left out.
std::string without_secret(const std::string& header);

}  // namespace load
