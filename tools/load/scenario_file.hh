// A scenario: a TOML file that the command line is shorthand for. Its keys are the options' names,
// with _ for -, and phases may follow each other:
//
//     target = ["wss://localhost:8443/echo;weight=3", "wss://localhost:8443/other"]
//     size = "16k"
//     fail_if = ["rtt.p99>20ms"]
//
//     [[phase]]
//     name = "ramp-up"         # a phase that begins with "ramp" changes the connections bit by bit
//     duration = "30s"         # and is not measured
//     connections = 1000
//     [[phase]]
//     name = "hold"
//     rate = 5000              # or rate_each; without one as answers come back
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/plan.hh"

namespace load {

inline constexpr std::size_t kConnectionsUnsaid = ~std::size_t{0};

struct Scenario {
  std::vector<std::string> arguments;  // for the command line, "--size=16k"
  std::vector<PhasePlan> phases;       // kConnectionsUnsaid: those of the command line
};

// The error names the line, and what may stand there.
std::expected<Scenario, std::string> read_scenario(std::string_view text);

// The scenario's phases instead of the ones that options have laid out, where it has any.
void adopt_phases(Plan& plan, const Scenario& scenario);

}  // namespace load
