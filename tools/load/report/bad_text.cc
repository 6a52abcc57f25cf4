#include "tools/load/report/bad_text.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/load/report/figures.hh"

namespace load::report {
namespace {

std::string_view was(std::uint64_t count) {
  return count == 1 ? "was" : "were";
}

// All of them in one way need no number beside it.
std::string ways_of(const BadCitizens& bad) {
  std::vector<std::string> ways = bad_endings_of(bad);
  if (ways.size() == 1) ways.front().resize(ways.front().rfind(" x "));
  return fmt::format("{}", fmt::join(ways, ", "));
}

std::string line_of(BadKind kind, const BadCitizens& bad) {
  std::vector<std::string> facts;
  const std::uint64_t ended = ended_by_peer(bad);
  if (ended > 0) {
    facts.push_back(fmt::format("{} of {} {} ended by the target ({}), within {}",
                                count_text(ended), count_text(bad.opened), was(ended), ways_of(bad),
                                duration_text(bad.until_ended.max())));
  } else if (bad.opened > 0) {
    facts.push_back(fmt::format("none of {} was ended by the target", count_text(bad.opened)));
  } else {
    facts.push_back("none has opened");
  }
  if (bad.ended_by_us > 0) {
    facts.push_back(
        fmt::format("{} {} ended by us", count_text(bad.ended_by_us), was(bad.ended_by_us)));
  }
  if (bad.open > 0) {
    facts.push_back(fmt::format("{} {} open at the end, for {} at most", count_text(bad.open),
                                was(bad.open), duration_text(bad.open_longest)));
  }
  if (bad.refused > 0) {
    facts.push_back(fmt::format("{} {} refused", count_text(bad.refused), was(bad.refused)));
  }
  return fmt::format("{}: {}\n", name_of(kind), fmt::join(facts, "; "));
}

}  // namespace

std::vector<std::string> bad_endings_of(const BadCitizens& bad) {
  std::vector<std::string> ways;
  for (const auto& [code, count] : bad.closes) {
    ways.push_back(fmt::format("{} x {}", code, count_text(count)));
  }
  for (const auto& [status, count] : bad.statuses) {
    ways.push_back(fmt::format("status {} x {}", status, count_text(count)));
  }
  if (bad.cut > 0) ways.push_back(fmt::format("cut x {}", count_text(bad.cut)));
  return ways;
}

std::string bad_verdict_of(const Result& result) {
  std::string text;
  for (const auto& [kind, bad] : result.bad) text += line_of(kind, bad);
  return text;
}

}  // namespace load::report
