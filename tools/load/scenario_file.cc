#include "tools/load/scenario_file.hh"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>

#include "tools/load/suggest.hh"
#include "tools/load/units.hh"

namespace load {
namespace {

constexpr std::size_t kPhasesMax = 1000;
constexpr std::size_t kArgumentsMax = 10'000;
constexpr std::int64_t kConnectionsMax = 1'000'000;
constexpr double kRateMin = 1e-6;
constexpr double kRateMax = 1e8;
constexpr std::size_t kStepsMax = 100;
constexpr std::size_t kFieldsMax = 100;
constexpr std::string_view kPhaseKeys[] = {"name", "duration",  "connections",
                                           "rate", "rate_each", "poisson"};
constexpr std::string_view kStepKeys[] = {"wait", "send", "reply", "extract"};

using Verdict = std::expected<void, std::string>;

std::string text_of(const ScenarioPlace& place) {
  return fmt::format("{}:{}: ", place.line, place.column);
}

ScenarioPlace place_of(const toml::source_region& region) {
  return {static_cast<unsigned>(region.begin.line), static_cast<unsigned>(region.begin.column)};
}

std::unexpected<std::string> refuse(const toml::source_region& region, const std::string& why) {
  return std::unexpected(text_of(place_of(region)) + why);
}

std::unexpected<std::string> refuse(const toml::node& node, const std::string& why) {
  return refuse(node.source(), why);
}

bool is_one_of(std::string_view key, std::span<const std::string_view> words) {
  return std::ranges::find(words, key) != words.end();
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
  scenario.places.try_emplace(option, place_of(node.source()));
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
  if (!rate || !std::isfinite(*rate) || *rate < kRateMin || *rate > kRateMax) {
    return refuse(node, "rate: a number from 0.000001 to 100000000; a closed loop has none");
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
      if (!is_one_of(key.str(), kPhaseKeys)) {
        return refuse(key.source(), unknown_key(key.str(), kPhaseKeys));
      }
      const Verdict taken = take_of_phase(key.str(), value, phase);
      if (!taken) return taken;
    }
    if (table->contains("rate") && table->contains("rate_each")) {
      return refuse(one, "rate, rate_each: one of the two");
    }
    if (phase.name.starts_with("ramp") && !phase.length) {
      return refuse(one, "duration: a ramp has an end");
    }
    scenario.phases.push_back(phase);
  }
  return {};
}

Verdict take_extractions(const toml::node& node, Step& step, Scenario& scenario) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return refuse(node, "extract: { token = \"/data/token\" }");
  for (const auto& [key, value] : *table) {
    const auto pointer = value.value_exact<std::string>();
    if (!pointer) return refuse(value, "extract: a JSON pointer, such as \"/data/token\"");
    auto extraction = parse_extraction(std::string(key.str()) + "=" + *pointer);
    if (!extraction) return refuse(value, "extract: " + extraction.error());
    if (std::ranges::find(scenario.fields, extraction->name) != scenario.fields.end()) {
      return refuse(value, "extract: a second field with the name " + extraction->name);
    }
    if (scenario.fields.size() == kFieldsMax) return refuse(value, "extract: more than 100 fields");
    extraction->field = scenario.fields.size();
    scenario.fields.push_back(extraction->name);
    step.extractions.push_back(std::move(*extraction));
  }
  return {};
}

// What it sends knows the fields of the steps before, and not its own.
Verdict take_step(const toml::table& table, Scenario& scenario) {
  Step step;
  for (const auto& [key, value] : table) {
    if (!is_one_of(key.str(), kStepKeys)) {
      return refuse(key.source(), unknown_key(key.str(), kStepKeys));
    }
  }
  if (const toml::node* const send = table.get("send")) {
    const auto text = send->value_exact<std::string>();
    if (!text || text->empty()) return refuse(*send, "send: a text");
    auto message = MessageTemplate::parse(*text, scenario.fields);
    if (!message) return refuse(*send, "send: " + message.error());
    step.send = std::move(*message);
  }
  if (const toml::node* const wait = table.get("wait")) {
    const auto range = DurationRange::parse(text_of(*wait).value_or(""));
    if (!range) return refuse(*wait, "wait: " + range.error());
    step.wait = *range;
    // Alone it awaits nothing else.
    step.has_reply = step.send || table.contains("extract");
  }
  if (const toml::node* const reply = table.get("reply")) {
    const auto awaited = reply->value_exact<bool>();
    if (!awaited) return refuse(*reply, "reply: true or false");
    step.has_reply = *awaited;
  }
  if (!step.send && !step.has_reply && step.wait.empty()) {
    return refuse(table, "step: send, await a reply, or wait");
  }
  if (const toml::node* const extract = table.get("extract")) {
    if (!step.has_reply) return refuse(*extract, "extract: out of a reply, and none is awaited");
    const Verdict taken = take_extractions(*extract, step, scenario);
    if (!taken) return taken;
  }
  scenario.steps.push_back(std::move(step));
  return {};
}

Verdict take_steps(const toml::node& node, Scenario& scenario) {
  const toml::array* const tables = node.as_array();
  if (tables == nullptr) return refuse(node, "step: begins with [[step]]");
  if (tables->size() > kStepsMax) return refuse(node, "step: more than 100");
  for (const toml::node& one : *tables) {
    const toml::table* const table = one.as_table();
    if (table == nullptr) return refuse(one, "step: begins with [[step]]");
    const Verdict taken = take_step(*table, scenario);
    if (!taken) return taken;
  }
  return {};
}

Verdict take(const toml::key& key, const toml::node& value, std::span<const std::string> options,
             Scenario& scenario) {
  if (key.str() == "phase") return take_phases(value, scenario);
  if (key.str() == "step") return take_steps(value, scenario);
  std::vector<std::string> known{"phase", "step"};
  for (const std::string& option : options) {
    known.push_back(option);
    std::ranges::replace(known.back(), '-', '_');
  }
  const std::vector<std::string_view> words(known.begin(), known.end());
  if (!options.empty() && !is_one_of(key.str(), words)) {
    return refuse(key.source(), unknown_key(key.str(), words));
  }
  return take_option(key.str(), value, scenario);
}

}  // namespace

std::string Scenario::place_of(std::string_view error) const {
  for (const auto& [option, place] : places) {
    if (!error.starts_with(option)) continue;
    const std::string_view behind = error.substr(option.size(), 1);
    if (behind == ":" || behind == " ") return text_of(place);
  }
  return {};
}

std::expected<Scenario, std::string> read_scenario(std::string_view text,
                                                   std::span<const std::string> options) {
  Scenario scenario;
  try {
    const toml::table table = toml::parse(text);
    for (const auto& [key, value] : table) {
      const Verdict taken = take(key, value, options, scenario);
      if (!taken) return std::unexpected(taken.error());
    }
  } catch (const toml::parse_error& error) {
    return refuse(error.source(), std::string(error.description()));
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
