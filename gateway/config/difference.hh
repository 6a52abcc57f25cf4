// What is different in meaning between two configurations: not their comments, nor the order in
// which they say it, where that says nothing.
#pragma once

#include <string>
#include <vector>

#include "gateway/config/config.hh"

namespace gateway::config {

struct Difference {
  // For people, each a few words: "route chat changed", "pool app +1 server".
  std::vector<std::string> changes;
  // Keys that hold from the start of a process to its end: "shards".
  std::vector<std::string> needs_restart;
  // Routes and servers that are gone: then WebSockets may be left that nobody else would open.
  bool leaves_orphans = false;

  bool empty() const { return changes.empty() && needs_restart.empty(); }
};

Difference compare(const Config& before, const Config& now);

}  // namespace gateway::config
