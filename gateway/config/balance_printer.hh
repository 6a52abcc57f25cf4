// How `gateway -t` prints what config/balance.cc reads.
#pragma once

#include <string>
#include <vector>

#include "gateway/config/balance.hh"

namespace gateway::config {

// The lines of a pool: those that hold, defaults included.
std::vector<std::string> balance_lines(const BalanceSettings& balance);

}  // namespace gateway::config
