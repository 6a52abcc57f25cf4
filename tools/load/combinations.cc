#include "tools/load/combinations.hh"

#include <algorithm>
#include <cmath>

namespace load {
namespace {

using Verdict = std::expected<void, std::string>;

constexpr Duration kLimitLeast = std::chrono::milliseconds(1);
// What is slower would not fit into the times that a schedule reckons with.
constexpr double kRateLeast = 1e-6;
constexpr std::size_t kRequestBytesMax = 32 * 1024;

Verdict refuse(const std::string& option, const std::string& why) {
  return std::unexpected(option + ": " + why);
}

bool has_rate(const Plan& plan) {
  return std::ranges::any_of(plan.phases,
                             [](const PhasePlan& phase) { return phase.rate.per_second > 0; });
}

bool sends_by_the_clock(Pattern pattern) {
  return pattern != Pattern::kHold && pattern != Pattern::kPush && pattern != Pattern::kHandshake;
}

Verdict check_numbers(const Plan& plan, const Flags& flags) {
  const std::pair<const char*, double> rates[] = {{"--rate", flags.rate},
                                                  {"--rate-each", flags.rate_each},
                                                  {"--connect-rate", plan.connect_rate},
                                                  {"--churn", plan.churn.per_second}};
  for (const auto& [option, rate] : rates) {
    if (!std::isfinite(rate) || (rate != 0 && rate < kRateLeast)) {
      return refuse(option, "a number of at least 0.000001 a second");
    }
  }
  if (plan.answer_limit < kLimitLeast) return refuse("--timeout", "at least 1ms");
  if (plan.open_limit < kLimitLeast) return refuse("--open-timeout", "at least 1ms");
  std::size_t bytes = 0;
  for (const auto& [name, value] : plan.headers) bytes += name.size() + value.size();
  for (const std::string& name : plan.subprotocols) bytes += name.size();
  for (const Target& target : plan.targets) {
    if (bytes + target.text.size() + plan.host.size() <= kRequestBytesMax) continue;
    return refuse("--header", "with the URL more than 32 KiB, which no server takes");
  }
  return {};
}

Verdict check_pattern(const Plan& plan, const Outputs& outputs) {
  const bool by_clock = sends_by_the_clock(plan.pattern);
  if (has_rate(plan) && !by_clock) {
    return refuse("--rate", plan.pattern == Pattern::kHandshake
                                ? "handshakes a second are --churn"
                                : "with this --pattern we send nothing by the clock");
  }
  if (!outputs.objective.empty() && (!by_clock || plan.churn.per_second > 0)) {
    return refuse("--find",
                  "it searches for a rate of messages: not with this --pattern or --churn");
  }
  const bool each = std::ranges::any_of(
      plan.phases, [](const PhasePlan& phase) { return phase.rate.per_connection; });
  if (!outputs.objective.empty() && each) {
    return refuse("--find", "it searches for a rate in all: not with a rate for each connection");
  }
  return {};
}

Verdict check_think_time(const Plan& plan, const Outputs& outputs) {
  if (plan.think.empty()) return {};
  const Pattern pattern = plan.pattern;
  if (pattern != Pattern::kEcho && pattern != Pattern::kRequest && pattern != Pattern::kPublish) {
    return refuse("--think", "it comes after an answer: it is for echo, request and publish");
  }
  if (!has_rate(plan) && outputs.objective.empty()) return {};
  return refuse("--think",
                "with a rate (--rate, --rate-each, --find, or that of a phase) messages are due by "
                "the clock, whatever comes back: leave out one of the two");
}

Verdict check_connections(const Plan& plan) {
  const bool churns = plan.churn.per_second > 0;
  if (churns && plan.churn.life.count() == 0 && plan.pattern != Pattern::kHandshake) {
    return refuse("--churn", "they would live for ever: give --life, or --pattern handshake");
  }
  if (churns && plan.connect_rate > 0) {
    return refuse("--connect-rate", "--churn says how many begin a second");
  }
  Duration end{0};
  for (const PhasePlan& phase : plan.phases) {
    if (!phase.length) return {};
    end += std::min(*phase.length, Duration(std::chrono::hours(24 * 365)));
  }
  for (const StormPlan& storm : plan.storms) {
    if (storm.at >= end) return refuse("--storm", "its at= is behind the end of the run");
  }
  return {};
}

Verdict check_tls(const Plan& plan, const Flags& flags) {
  if (std::ranges::any_of(plan.targets, &Target::secure)) return {};
  const std::pair<const char*, bool> options[] = {{"--resume", plan.resumed_share > 0},
                                                  {"--cert", !flags.certificate.empty()},
                                                  {"--verify", flags.verify != "off"},
                                                  {"--sni", !plan.server_name.empty()},
                                                  {"--groups", !flags.groups.empty()}};
  for (const auto& [option, given] : options) {
    if (given) return refuse(option, "no URL is wss:// or https://");
  }
  return {};
}

Verdict check_scenario(const Flags& flags, const Scenario& scenario) {
  if (scenario.phases.empty()) return {};
  const std::pair<const char*, bool> options[] = {{"--rate", flags.rate > 0},
                                                  {"--rate-each", flags.rate_each > 0},
                                                  {"--poisson", flags.poisson},
                                                  {"--duration", flags.duration.has_value()},
                                                  {"--ramp-up", flags.ramp_up.count() > 0},
                                                  {"--ramp-down", flags.ramp_down.count() > 0}};
  for (const auto& [option, given] : options) {
    if (given) return refuse(option, "each [[phase]] of the scenario says that for itself");
  }
  return {};
}

}  // namespace

Verdict check_combinations(const CommandLine& line, const Flags& flags, const Scenario& scenario) {
  const Plan& plan = line.plan;
  for (const Verdict& verdict :
       {check_numbers(plan, flags), check_scenario(flags, scenario), check_tls(plan, flags),
        check_think_time(plan, line.outputs), check_pattern(plan, line.outputs),
        check_connections(plan)}) {
    if (!verdict) return verdict;
  }
  return {};
}

}  // namespace load
