#include "tools/load/report/compare.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "tools/load/report/figures.hh"
#include "tools/load/report/file.hh"
#include "tools/load/report/json.hh"

namespace load::report {
namespace {

struct ComparedName {
  std::string_view words;
  bool more_is_better;
};
constexpr std::array<ComparedName, kComparedFigures> kNames = {{
    {"rate", true}, {"RTT p50", false}, {"RTT p99", false}, {"RTT p99.9", false},
    {"CPU/message", false},
}};

std::string value_text(std::size_t figure, double value) {
  if (figure == static_cast<std::size_t>(Compared::kRate)) return rate_text(value);
  return duration_text(std::chrono::nanoseconds(std::llround(std::min(value, 9e18))));
}

std::string verdict_of(const Difference& difference, const ComparedName& name) {
  if (!difference.beyond_noise) return "no more than noise";
  return (difference.change > 0) == name.more_is_better ? "better" : "worse";
}

std::expected<Result, std::string> read_result(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(file + ": " + text.error());
  auto result = result_of_json(*text);
  if (!result) return std::unexpected(file + ": " + result.error());
  return result;
}

double rate_wanted_of(const Result& result) {
  double most = 0;
  for (const Phase& phase : result.phases) most = std::max(most, phase.rate_wanted);
  return most;
}

int fail(const std::string& reason) {
  fmt::print(stderr, "gateway-load: {}\n", reason);
  return 2;
}

}  // namespace

std::string differences_text(const Differences& differences) {
  std::string text = fmt::format("{:<12} {:>12} {:>12} {:>9}  {:<20} {}\n", "", "first", "second",
                                 "change", "99 % between", "verdict");
  for (std::size_t i = 0; i < kComparedFigures; ++i) {
    if (!differences[i]) continue;
    const Difference& one = *differences[i];
    const std::string range =
        fmt::format("{:+.1f} % and {:+.1f} %", one.change_low * 100, one.change_high * 100);
    text += fmt::format("{:<12} {:>12} {:>12} {:>+7.1f} %  {:<20} {}\n", kNames[i].words,
                        value_text(i, one.first), value_text(i, one.second), one.change * 100,
                        range, verdict_of(one, kNames[i]));
  }
  return text;
}

std::string unlike_text(const Result& first, const Result& second) {
  std::string text;
  const auto say = [&text](std::string_view what, const std::string& a, const std::string& b) {
    if (a != b) text += fmt::format("But they had not the same {}: {} and {}.\n", what, a, b);
  };
  const auto targets = [](const Result& result) {
    return printable(fmt::format("{}", fmt::join(result.targets, " ")), 200);
  };
  say("target", targets(first), targets(second));
  say("connections", count_text(first.open_max), count_text(second.open_max));
  say("rate to keep", rate_text(rate_wanted_of(first)), rate_text(rate_wanted_of(second)));
  for (const Result* const one : {&first, &second}) {
    if (!one->interrupted) continue;
    text += fmt::format("But the {} run was interrupted.\n", one == &first ? "first" : "second");
  }
  return text;
}

int run_compare(std::span<const std::string> files) {
  if (files.size() != 2) return fail("compare: wants two files that --json has written");
  const auto first = read_result(files[0]);
  if (!first) return fail(first.error());
  const auto second = read_result(files[1]);
  if (!second) return fail(second.error());
  auto differences = compare(*first, *second);
  if (!differences) return fail("compare: " + differences.error());
  // What was ordered is nothing that was found.
  const bool ordered = rate_wanted_of(*first) > 0 && rate_wanted_of(*second) > 0;
  if (ordered) differences->at(static_cast<std::size_t>(Compared::kRate)).reset();
  fmt::print("first:  {}\nsecond: {}\n\n{}", files[0], files[1], differences_text(*differences));
  fmt::print("{}", unlike_text(*first, *second));
  fmt::print("\nNoise is what the seconds of each run differ by ({} draws of their intervals). "
             "What\nchanges from one run to another, like the machine's other work, only more "
             "runs show.\n", kDraws);
  for (const Result* const one : {&*first, &*second}) {
    if (one->generator.limits.empty()) continue;
    fmt::print("But the generator was the limit in the {} run: it says little of the target.\n",
               one == &*first ? "first" : "second");
  }
  return 0;
}

}  // namespace load::report
