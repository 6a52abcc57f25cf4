// The addresses that connections come from (`--source`), in turn.
#pragma once

#include <expected>
#include <string>

#include "tools/load/engine/connection.hh"

namespace load {

struct SourceError {
  std::string kind;
  std::string example;
};

// The generator's machine has no more of something: ports, descriptors, memory. That is no fault of
// the target's.
bool is_own_lack(int error);

// Gives the link, before it connects, a socket that is bound to the next of the plan's addresses,
// if there are any. The port is chosen when it connects, so that each address has all of them for
// each target.
std::expected<void, SourceError> bind_to_source(Shared& shared, ShardTarget& target,
                                                tools::Link& link);

}  // namespace load
