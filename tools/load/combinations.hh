// What options ask for together: refused where one of them would be of no effect, or mean something
// else than it says.
#pragma once

#include <expected>
#include <string>

#include "tools/load/command_line.hh"
#include "tools/load/scenario_file.hh"

namespace load {

// The error begins with the option's name, and says the cure. Precondition: `line` is complete.
std::expected<void, std::string> check_combinations(const CommandLine& line, const Flags& flags,
                                                    const Scenario& scenario);

}  // namespace load
