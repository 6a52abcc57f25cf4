// What this machine has to have for a run, looked at before it: descriptors, local ports, memory.
// Better no run than one that measures what the generator's own system refuses.
#pragma once

#include <expected>
#include <string>

#include "tools/load/plan.hh"

namespace load {

// Raises the limit of descriptors as far as that is allowed. The error says what will not suffice,
// and the cure.
std::expected<void, std::string> preflight(const Plan& plan);

// In the phase that has the most.
std::size_t most_connections(const Plan& plan);

// Of one target's address from one source address: what /proc/sys/net/ipv4/ip_local_port_range has.
std::size_t local_ports();

// Memory that the machine has left.
std::uint64_t available_bytes();

}  // namespace load
