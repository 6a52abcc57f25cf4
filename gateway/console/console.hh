// The commands that look at a running gateway's connections from a terminal, and end some. All that
// they know comes through its control socket, in the words of the admin listener.
#pragma once

#include <functional>
#include <string>

#include "gateway/console/words.hh"

namespace gateway {

struct ConsoleAnswer {
  int status = 1;  // 0: done
  std::string text;
};
// Asks the gateway: "api GET /snapshot".
using AskGateway = std::function<ConsoleAnswer(const std::string& command)>;
// Writes to standard output; false where nobody reads it.
using Print = std::function<bool(const std::string& text)>;

// Gives the exit status, and says what went wrong, if anything did.
ConsoleAnswer run_console(const ConsoleWords& words, const AskGateway& ask, const Print& print);

}  // namespace gateway
