// The gateway's log, as its operator reads it: what it says of each request is compared with what
// the request's two ends have seen.
#pragma once

#include <string>
#include <string_view>

#include "gateway/log/ring.hh"
#include "tests/simulation/stage.hh"

namespace simulation {

class LogReader {
 public:
  explicit LogReader(Stage& stage) : stage_(stage) {}

  void drain(gateway::LogRing& ring);

 private:
  void read(std::string_view line);

  Stage& stage_;
};

}  // namespace simulation
