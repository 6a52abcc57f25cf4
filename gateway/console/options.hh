// `gateway connections`, `gateway kick` and `gateway top` on the command line.
#pragma once

#include "gateway/console/words.hh"

namespace CLI {
class App;
}

namespace gateway {

// `words` outlives the parsing.
void add_console_commands(CLI::App& app, ConsoleWords& words);

}  // namespace gateway
