// The command line of the gateway. CLI11 stays behind the .cc.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "gateway/config/command_line.hh"
#include "gateway/console/words.hh"

namespace gateway {

enum class ReceiveForm { automatic, multishot, one_shot };

struct Options {
  std::string config_file = "gateway.conf";
  config::CommandLine command_line;  // instead of the file where its `from` is not empty
  std::string command;               // for a gateway that runs: its control socket's line, or none
  ConsoleWords console;              // likewise, where more than one line is asked
  std::string control_socket;        // its control socket; empty: as the file says
  bool open_metrics = false;         // of `gateway metrics`
  bool test = false;                 // check the configuration, print it, and end
  bool watch = false;                // reload when a file of the configuration changes
  bool version = false;              // print versions, and end
  std::optional<unsigned> shards;    // instead of the configuration's
  ReceiveForm receive = ReceiveForm::automatic;
};

// The process is to end at once: with this text, on standard output if the code is 0, else on
// standard error.
struct EarlyExit {
  int code = 0;
  std::string text;
};

std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv);

}  // namespace gateway
