#include "tools/load/report/figure.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tools/load/report/figures.hh"
#include "tools/load/report/summary.hh"

namespace load::gates {
namespace {

using Value = std::optional<double>;
using Unit = Figure::Unit;

double number(std::uint64_t count) { return static_cast<double>(count); }
double number(std::chrono::nanoseconds time) { return static_cast<double>(time.count()); }

Value quantile(const Result& result, const Figure& figure) {
  const Histogram all = report::merged(result, figure.timing);
  return all.empty() ? Value() : number(all.quantile(figure.share));
}

Value least(const Result& result, const Figure& figure) {
  const Histogram all = report::merged(result, figure.timing);
  return all.empty() ? Value() : number(all.min());
}

Value mean(const Result& result, const Figure& figure) {
  const Histogram all = report::merged(result, figure.timing);
  return all.empty() ? Value() : number(all.mean());
}

Value most(const Result& result, const Figure& figure) {
  const Histogram all = report::merged(result, figure.timing);
  return all.empty() ? Value() : number(all.max());
}

Value count(const Result& result, const Figure& figure) {
  return number(report::merged(result, figure.timing).count());
}

Value counter(const Result& result, const Figure& figure) {
  return number(report::over_all_phases(result).*figure.member);
}

Value closes(const Result& result, const Figure& figure) {
  const auto found = result.closes_by_peer.find(static_cast<std::uint16_t>(figure.code));
  return found == result.closes_by_peer.end() ? 0 : number(found->second);
}

Value statuses(const Result& result, const Figure& figure) {
  const auto found = result.statuses.find(figure.code);
  return found == result.statuses.end() ? 0 : number(found->second);
}

Value rate(const Result& result, const Figure&) {
  return report::measured_time(result).count() > 0 ? Value(report::rate_of(result)) : Value();
}

Value connect_rate(const Result& result, const Figure&) {
  const bool measured = report::measured_time(result).count() > 0;
  return measured ? Value(report::connect_rate_of(result)) : Value();
}

Value errors(const Result& result, const Figure&) { return number(report::errors_of(result)); }
Value open(const Result& result, const Figure&) { return number(result.open); }
Value open_max(const Result& result, const Figure&) { return number(result.open_max); }

Value disconnects(const Result& result, const Figure&) {
  const Counts all = report::over_all_phases(result);
  return number(all.lost_idle + all.lost_sending);
}

// Of the slowest storm. One that never recovered took for ever.
Value recovery(const Result& result, const Figure&) {
  Value slowest;
  for (const Storm& storm : result.storms) {
    const double time = storm.recovered ? number(*storm.recovered) : HUGE_VAL;
    slowest = std::max(slowest.value_or(0), time);
  }
  return slowest;
}

Value cpu_per_message(const Result& result, const Figure&) {
  const auto cpu = report::cpu_per_message(result);
  return cpu ? Value(number(*cpu)) : Value();
}

Value memory(const Result& result, const Figure&) {
  Value sum;
  for (const Watched& one : result.watched) {
    if (one.gone) return Value();
    sum = sum.value_or(0) + number(one.resident_bytes_max);
  }
  return sum;
}

Value bad_sum(const Result& result, std::uint64_t (*of)(const BadCitizens&)) {
  std::uint64_t sum = 0;
  for (const auto& [kind, bad] : result.bad) sum += of(bad);
  return result.bad.empty() ? Value() : number(sum);
}

Value bad_open(const Result& result, const Figure&) {
  return bad_sum(result, [](const BadCitizens& bad) { return bad.open; });
}
Value bad_ended(const Result& result, const Figure&) { return bad_sum(result, ended_by_peer); }
Value bad_refused(const Result& result, const Figure&) {
  return bad_sum(result, [](const BadCitizens& bad) { return bad.refused; });
}

// How long the target bore with the one that it bore with the longest, ended or not.
Value bad_borne(const Result& result, const Figure&) {
  Value longest;
  for (const auto& [kind, bad] : result.bad) {
    const auto time = std::max(bad.open_longest, bad.until_ended.max());
    if (bad.opened > 0) longest = std::max(longest.value_or(0), number(time));
  }
  return longest;
}

struct NamedFigure {
  std::string_view name;
  Unit unit;
  Value (*read)(const Result&, const Figure&);
};

constexpr NamedFigure kFigures[] = {
    {"rate", Unit::kPerSecond, rate},
    {"connect_rate", Unit::kPerSecond, connect_rate},
    {"errors", Unit::kNone, errors},
    {"disconnects", Unit::kNone, disconnects},
    {"open", Unit::kNone, open},
    {"open_max", Unit::kNone, open_max},
    {"bad.open", Unit::kNone, bad_open},
    {"bad.ended", Unit::kNone, bad_ended},
    {"bad.refused", Unit::kNone, bad_refused},
    {"bad.borne", Unit::kDuration, bad_borne},
    {"recovery", Unit::kDuration, recovery},
    {"cpu_per_message", Unit::kDuration, cpu_per_message},
    {"memory", Unit::kBytes, memory},
};

constexpr NamedFigure kStatistics[] = {
    {"min", Unit::kDuration, least},
    {"mean", Unit::kDuration, mean},
    {"max", Unit::kDuration, most},
    {"count", Unit::kNone, count},
};

std::string all_names() {
  std::string names;
  for (const auto& one : report::kTimingNames) names += fmt::format("{}.p99, ", one.key);
  for (const NamedFigure& one : kFigures) names += fmt::format("{}, ", one.name);
  for (const auto& one : report::kCountNames) names += fmt::format("{}, ", one.key);
  return names + "close.1006, status.503";
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = status == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

std::expected<Figure, std::string> parse_statistic(Figure figure, std::string_view name) {
  for (const NamedFigure& one : kStatistics) {
    if (one.name != name) continue;
    figure.unit = one.unit;
    figure.read = one.read;
    return figure;
  }
  const auto percent = name.starts_with('p') ? whole_number<double>(name.substr(1)) : std::nullopt;
  if (!percent || !(*percent >= 0 && *percent <= 100)) {
    return std::unexpected("what follows the point can be p50, p99.9 (p0 to p100), min, mean, max "
                           "or count");
  }
  figure.unit = Unit::kDuration;
  figure.read = quantile;
  figure.share = *percent / 100;
  return figure;
}

}  // namespace

std::expected<Figure, std::string> parse_figure(std::string_view name) {
  Figure figure{.name = std::string(name)};
  const std::size_t point = name.find('.');
  const std::string_view first = name.substr(0, point);
  const std::string_view second = point == name.npos ? "" : name.substr(point + 1);
  for (const report::TimingName& one : report::kTimingNames) {
    if (one.key != first) continue;
    figure.timing = one.timing;
    return parse_statistic(std::move(figure), second);
  }
  if (first == "close" || first == "status") {
    const auto code = whole_number<int>(second);
    const bool close = first == "close";
    const int least = close ? 1000 : 100;
    const int most = close ? 4999 : 999;
    if (!code || *code < least || *code > most) {
      return std::unexpected(fmt::format("a code from {} to {} should follow \"{}.\"", least, most,
                                         first));
    }
    figure.code = *code;
    figure.read = close ? closes : statuses;
    return figure;
  }
  for (const NamedFigure& one : kFigures) {
    if (one.name != name) continue;
    figure.unit = one.unit;
    figure.read = one.read;
    return figure;
  }
  for (const report::CountName& one : report::kCountNames) {
    if (one.key != name) continue;
    figure.unit = name.ends_with("_bytes") ? Unit::kBytes : Unit::kNone;
    figure.member = one.member;
    figure.read = counter;
    return figure;
  }
  return std::unexpected("a figure can be " + all_names());
}

std::string value_text(const Figure& figure, double value) {
  if (std::isinf(value)) return "without end";
  const double bounded = std::clamp(value, 0.0, 9e18);
  switch (figure.unit) {
    case Unit::kDuration:
      return report::duration_text(std::chrono::nanoseconds(std::llround(bounded)));
    case Unit::kPerSecond: return report::rate_text(bounded);
    case Unit::kBytes: return report::bytes_text(static_cast<std::uint64_t>(bounded));
    case Unit::kNone: break;
  }
  return report::count_text(static_cast<std::uint64_t>(bounded));
}

}  // namespace load::gates
