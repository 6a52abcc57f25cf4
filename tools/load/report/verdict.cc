#include "tools/load/report/verdict.hh"

#include <fmt/format.h>

#include <algorithm>

#include "tools/load/report/bad_text.hh"
#include "tools/load/report/figures.hh"
#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

std::string gates_text(const GateResults& gates) {
  std::string text;
  for (const GateResult& one : gates) {
    if (!one.failed) continue;
    text += fmt::format("gate {} failed: {}\n", printable(one.gate.text), gates::found_text(one));
  }
  return text;
}

std::size_t failed_in(const GateResults& gates) {
  return static_cast<std::size_t>(
      std::count_if(gates.begin(), gates.end(), [](const GateResult& one) { return one.failed; }));
}

std::string first_error(const Result& result) {
  if (result.errors.empty()) return "";
  const auto& [kind, error] = *std::max_element(
      result.errors.begin(), result.errors.end(),
      [](const auto& a, const auto& b) { return a.second.count < b.second.count; });
  return fmt::format(": {}{}", printable(kind),
                     error.example.empty() ? "" : " (" + printable(error.example) + ")");
}

// Of what was due and never went, what most of it waited for.
std::string unsent_text(const Result& result) {
  const Unsent& why = result.unsent;
  const std::uint64_t unsent = total(result).unsent;
  const std::uint64_t known = why.none_open + why.bounded + why.missed;
  std::string text;
  const auto say = [&text](std::uint64_t count, std::string_view reason) {
    if (count > 0) text += fmt::format("\n  {}: {}", count_text(count), reason);
  };
  say(why.none_open, "no connection was open for them");
  say(why.bounded, "as many connections were there as --connections allows");
  say(why.missed, "the generator never came to them");
  say(unsent - std::min(unsent, known),
      "their connection had as much in flight as --in-flight allows, or ended");
  return text;
}

// What befell messages, and nobody wants.
std::string blemishes_text(const Result& result) {
  const Counts counts = over_all_phases(result);
  std::string text;
  const auto say = [&](std::uint64_t count, std::string_view what) {
    if (count == 0) return;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_text(count), what);
  };
  say(counts.lost, "lost");
  say(counts.unanswered, "unanswered");
  say(counts.duplicated, "duplicated");
  say(counts.reordered, "reordered");
  if (text.empty()) return "";
  return fmt::format("{} of {} messages", text, count_text(counts.sent));
}

std::string passed_text(const Result& result, const GateResults& gates) {
  std::string text = result.interrupted ? "interrupted, passed so far" : "passed";
  if (!gates.empty()) {
    text += fmt::format(": {} {} held", gates.size(), gates.size() == 1 ? "gate" : "gates");
  }
  std::string allowed;
  if (const std::uint64_t errors = errors_of(result); errors > 0) {
    allowed = fmt::format("{} {}", count_text(errors), errors == 1 ? "error" : "errors");
  }
  if (const std::string blemishes = blemishes_text(result); !blemishes.empty()) {
    allowed += (allowed.empty() ? "" : ", ") + blemishes;
  }
  if (!allowed.empty()) {
    text += fmt::format("{} {}, and no gate forbids that", gates.empty() ? ":" : ",", allowed);
  }
  if (const double share = unsent_share(result); share > kUnsentShareMax) {
    text += fmt::format(", but {:.1f} % of what was due was never sent:{}", 100 * share,
                        unsent_text(result));
  }
  return text + "\n";
}

// Of the connections that carried the load.
std::string load_verdict_of(const Result& result, const GateResults& gates) {
  if (result.target_unreachable) {
    return "the target could not be reached" + first_error(result) + "\n";
  }
  if (const std::string imbalance = imbalance_of(result); !imbalance.empty()) {
    return "the counters do not add up: " + imbalance + "\n" + gates_text(gates);
  }
  if (!result.generator.limits.empty()) {
    std::string text = "the generator was the limit, so the figures say little of the target:\n";
    for (const std::string& limit : result.generator.limits) text += "  " + printable(limit) + "\n";
    return text + gates_text(gates);
  }
  if (const std::string failure = failure_of(result); !failure.empty()) {
    return "failed: " + failure + "\n" + gates_text(gates);
  }
  const std::size_t failed = failed_in(gates);
  if (failed == 0) return passed_text(result, gates);
  return fmt::format("failed: {} of {} {}{}\n", failed, gates.size(),
                     gates.size() == 1 ? "gate" : "gates",
                     result.interrupted ? " (interrupted)" : "") +
         gates_text(gates);
}

}  // namespace

int exit_status_of(const Result& result, const GateResults& gates) {
  if (result.target_unreachable) return 4;
  if (!imbalance_of(result).empty()) return 1;
  if (!result.generator.limits.empty()) return 3;
  return failed_in(gates) > 0 || !failure_of(result).empty() ? 1 : 0;
}

std::string verdict_of(const Result& result, const GateResults& gates) {
  return load_verdict_of(result, gates) + bad_verdict_of(result);
}

}  // namespace load::report
