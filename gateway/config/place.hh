// Where something is written in the configuration file.
#pragma once

namespace gateway::config {

// Both count from 1, 0 means nowhere.
struct Place {
  unsigned line = 0;
  unsigned column = 0;
};

}  // namespace gateway::config
