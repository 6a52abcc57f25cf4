#include "tools/load/report/junit.hh"

#include <fmt/format.h>

#include "tools/load/report/figures.hh"
#include "tools/load/report/summary.hh"
#include "tools/load/report/verdict.hh"

namespace load::report {
namespace {

// Empty `fault`: it passed. `element` is "failure" or "error".
std::string test_case(std::string_view name, double seconds, std::string_view element,
                      std::string_view fault) {
  const std::string head =
      fmt::format("    <testcase classname=\"gateway-load\" name=\"{}\" time=\"{:.3f}\"",
                  escaped(name), seconds);
  if (fault.empty()) return head + "/>\n";
  return fmt::format("{}>\n      <{} message=\"{}\"/>\n    </testcase>\n", head, element,
                     escaped(fault));
}

std::string limits_of(const Result& result) {
  std::string text;
  for (const std::string& limit : result.generator.limits) {
    text += (text.empty() ? "" : "; ") + limit;
  }
  return text;
}

}  // namespace

std::string junit_of(const Result& result, const GateResults& gates) {
  const double seconds = seconds_of(whole_time(result));
  const std::string unreachable = result.target_unreachable ? verdict_of(result, gates) : "";
  const std::string imbalance = imbalance_of(result);
  const std::string failure = failure_of(result);
  const std::string limits = limits_of(result);
  const int errors = !unreachable.empty() + !imbalance.empty() + !limits.empty();
  std::string cases = test_case("the target can be reached", seconds, "error", unreachable) +
                      test_case("the counters add up", 0, "error", imbalance) +
                      test_case("the generator was not the limit", 0, "error", limits) +
                      test_case("the run has found something", 0, "failure", failure);
  std::size_t failures = failure.empty() ? 0 : 1;
  for (const GateResult& one : gates) {
    if (one.failed) ++failures;
    cases += test_case("not " + one.gate.text, 0, "failure",
                       one.failed ? gates::found_text(one) : "");
  }
  const std::string head = fmt::format(
      "tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\"", gates.size() + 4, failures,
      errors, seconds);
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<testsuites {}>\n  <testsuite name=\"gateway-load\" {}>\n{}"
                     "  </testsuite>\n</testsuites>\n",
                     head, head, cases);
}

}  // namespace load::report
