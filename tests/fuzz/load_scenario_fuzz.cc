// Hostile scenario files: what is accepted has only options that a command line could have, and
// phases within bounds; what is not is told with its line.
#include <cmath>
#include <cstdint>

#include "tests/fuzz/require.hh"
#include "tools/load/scenario_file.hh"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scenario =
      load::read_scenario(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!scenario) {
    require(scenario.error().starts_with("line "), "an error has its line");
    return 0;
  }
  for (const std::string& argument : scenario->arguments) {
    require(argument.starts_with("--"), "a key is an option");
  }
  load::Plan plan;
  load::adopt_phases(plan, *scenario);
  require(plan.connections > 0, "something is opened");
  for (const load::PhasePlan& phase : plan.phases) {
    require(phase.connections <= 1'000'000, "connections are bounded");
    require(std::isfinite(phase.rate.per_second) && phase.rate.per_second >= 0, "a rate is one");
    require(!phase.length || phase.length->count() > 0, "a phase has a length, or none");
  }
  return 0;
}
