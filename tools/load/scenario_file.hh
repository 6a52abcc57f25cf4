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
//
// and so may messages that each WebSocket begins with (message_template.hh):
//
//     message = '{{"n":{seq},"token":"{token}"}}'
//     [[step]]
//     wait = "0..5s"                                 # drawn evenly; a step may be only a wait
//     send = '{{"login":"{file:users.csv:name}"}}'   # without it a message is only awaited
//     reply = true                                   # is awaited before it goes on
//     extract = { token = "/data/token" }            # JSON pointers into it
#pragma once

#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/plan.hh"

namespace load {

inline constexpr std::size_t kConnectionsUnsaid = ~std::size_t{0};

struct ScenarioPlace {
  unsigned line = 0;
  unsigned column = 0;
};

struct Scenario {
  std::vector<std::string> arguments;           // for the command line, "--size=16k"
  std::vector<PhasePlan> phases;                // kConnectionsUnsaid: those of the command line
  std::vector<Step> steps;                      // their files are not read yet
  std::vector<std::string> fields;              // that the steps extract
  std::map<std::string, ScenarioPlace> places;  // of each option

  // "12:3: " of the option that an error of the command line names; empty where it has none here.
  std::string place_of(std::string_view error) const;
};

// `options` are all that the command line has, "size" and so on; empty: any. The error begins with
// the place, "12:3: ", and says what may stand there.
std::expected<Scenario, std::string> read_scenario(std::string_view text,
                                                   std::span<const std::string> options = {});

// The scenario's phases instead of the ones that options have laid out, where it has any.
void adopt_phases(Plan& plan, const Scenario& scenario);

}  // namespace load
