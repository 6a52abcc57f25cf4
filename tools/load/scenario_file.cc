#include "tools/load/scenario_file.hh"

#include <algorithm>
#include <cmath>
#include <toml++/toml.h>

#include "tools/load/units.hh"

namespace load {
namespace {

constexpr std::size_t kPhasesMax = 1000;
constexpr std::size_t kArgumentsMax = 10'000;
constexpr std::int64_t kConnectionsMax = 1'000'000;
constexpr double kRateMax = 1e8;

using Verdict = std::expected<void, std::string>;

std::unexpected<std::string> refuse(const toml::node& node, const std::string& why) {
  return std::unexpected("line " + std::to_string(node.source().begin.line) + ": " + why);
}

std::string option_of(std::string_view key) {
  std::string option = "--" + std::string(key);
  std::ranges::replace(option, '_', '-');
  return option;
}

// As it would stand on the command line; nothing where it cannot.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto number = node.value_exact<double>()) return std::to_string(*number);
  return std::nullopt;
}

Verdict take_option(std::string_view key, const toml::node& node, Scenario& scenario) {
  const std::string option = option_of(key);
  if (scenario.arguments.size() >= kArgumentsMax) return refuse(node, "more than 10000 options");
  if (const toml::array* const values = node.as_array()) {
    for (const toml::node& value : *values) {
      if (value.is_array()) return refuse(value, option + ": a list in a list");
      const Verdict taken = take_option(key, value, scenario);
      if (!taken) return taken;
    }
    return {};
  }
  if (const auto on = node.value_exact<bool>()) {
    if (*on) scenario.arguments.push_back(option);
    return {};
  }
  const auto text = text_of(node);
  if (!text) return refuse(node, option + ": a text, a number, true, false, or a list of these");
  scenario.arguments.push_back(option + "=" + *text);
  return {};
}

Verdict take_rate(const toml::node& node, PhasePlan& phase, bool each) {
  const auto rate = node.value<double>();
  if (!rate || !std::isfinite(*rate) || *rate < 0 || *rate > kRateMax) {
    return refuse(node, "rate: a number from 0 to 100000000");
  }
  phase.rate.per_second = *rate;
  phase.rate.per_connection = each;
  return {};
}

Verdict take_of_phase(std::string_view key, const toml::node& node, PhasePlan& phase) {
  if (key == "rate" || key == "rate_each") return take_rate(node, phase, key == "rate_each");
  if (key == "name") {
    const auto name = node.value_exact<std::string>();
    if (!name || name->empty()) return refuse(node, "name: a text");
    phase.name = *name;
    return {};
  }
  if (key == "poisson") {
    const auto on = node.value_exact<bool>();
    if (!on) return refuse(node, "poisson: true or false");
    phase.rate.poisson = *on;
    return {};
  }
  if (key == "connections") {
    const auto count = node.value_exact<std::int64_t>();
    if (!count || *count < 0 || *count > kConnectionsMax) {
      return refuse(node, "connections: a number from 0 to 1000000");
    }
    phase.connections = static_cast<std::size_t>(*count);
    return {};
  }
  if (key != "duration") {
    return refuse(node, "name, duration, connections, rate, rate_each or poisson, and not " +
                            std::string(key));
  }
  const auto text = text_of(node);
  const auto duration = parse_duration(text.value_or(""));
  if (!duration) return refuse(node, "duration: " + duration.error());
  phase.length.reset();
  if (duration->count() > 0) phase.length = *duration;
  return {};
}

Verdict take_phases(const toml::node& node, Scenario& scenario) {
  const toml::array* const tables = node.as_array();
  if (tables == nullptr) return refuse(node, "phase: begins with [[phase]]");
  if (tables->size() > kPhasesMax) return refuse(node, "phase: more than 1000");
  for (const toml::node& one : *tables) {
    const toml::table* const table = one.as_table();
    if (table == nullptr) return refuse(one, "phase: begins with [[phase]]");
    PhasePlan phase{.name = "hold",
                    .length = std::chrono::seconds(10),
                    .connections = kConnectionsUnsaid,
                    .rate = {}};
    for (const auto& [key, value] : *table) {
      const Verdict taken = take_of_phase(key.str(), value, phase);
      if (!taken) return taken;
    }
    if (phase.name.starts_with("ramp") && !phase.length) {
      return refuse(one, "duration: a ramp has an end");
    }
    scenario.phases.push_back(phase);
  }
  return {};
}

}  // namespace

std::expected<Scenario, std::string> read_scenario(std::string_view text) {
  Scenario scenario;
  try {
    const toml::table table = toml::parse(text);
    for (const auto& [key, value] : table) {
      const Verdict taken = key.str() == "phase" ? take_phases(value, scenario)
                                                 : take_option(key.str(), value, scenario);
      if (!taken) return std::unexpected(taken.error());
    }
  } catch (const toml::parse_error& error) {
    return std::unexpected("line " + std::to_string(error.source().begin.line) + ": " +
                           std::string(error.description()));
  }
  return scenario;
}

void adopt_phases(Plan& plan, const Scenario& scenario) {
  if (scenario.phases.empty()) return;
  plan.phases = scenario.phases;
  for (PhasePlan& phase : plan.phases) {
    if (phase.connections == kConnectionsUnsaid) phase.connections = plan.connections;
  }
  // Those that are opened before the first phase.
  plan.connections = std::max<std::size_t>(plan.phases.front().connections, 1);
}

}  // namespace load
