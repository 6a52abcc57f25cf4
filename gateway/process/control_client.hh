// The other end of the control socket: what `gateway reload` does.
#pragma once

#include <string>

namespace gateway {

// Asks the gateway whose control socket is at `path`, and waits for its answer: the exit status (0:
// done) and what there is to say.
struct Told {
  int status = 1;
  std::string text;
};
Told ask_running_gateway(const std::string& path, const std::string& command);

}  // namespace gateway
