#include "tools/load/report/charts.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/load/report/chart.hh"
#include "tools/load/report/figures.hh"
#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

constexpr std::size_t kPointsMax = 240;
constexpr double kTimeMarksMax = 10;
// Where the percentile curve begins: the very fastest would take up half of the axis.
constexpr double kShareLeast = 0.05;

// Neighbours put together until there are at most kPointsMax, but never over a phase's end. What a
// phase ends with can be too short for a rate of its own: it belongs to the one before.
std::vector<Interval> course_of(const Result& result) {
  const std::size_t together = (result.intervals.size() + kPointsMax - 1) / kPointsMax;
  std::chrono::nanoseconds usual{0};
  for (const Interval& one : result.intervals) usual = std::max(usual, one.length);
  std::vector<Interval> course;
  std::size_t within = 0;
  for (const Interval& one : result.intervals) {
    const bool full = within >= together && one.length > usual / 2;
    if (course.empty() || full || course.back().phase != one.phase) {
      course.push_back(one);
      within = 1;
      continue;
    }
    Interval& to = course.back();
    to.length = one.begin + one.length - to.begin;
    add(to.counts, one.counts);
    to.open = one.open;
    to.errors += one.errors;
    to.rtt.merge(one.rtt);
    ++within;
  }
  return course;
}

// What all charts over time have in common.
class Time {
 public:
  explicit Time(const Result& result)
      : course(course_of(result)), seconds_(std::max(seconds_of(whole_time(result)), 1e-3)) {
    for (const Phase& phase : result.phases) {
      spans.push_back({share(phase.begin), share(phase.begin + phase.length), phase.name,
                       is_ramp(phase) ? "ramp" : ""});
    }
    for (const Storm& storm : result.storms) {
      storms.push_back({share(storm.begin), "\u2212" + count_text(storm.dropped)});
      if (!storm.recovered) continue;
      spans.push_back({share(storm.begin), share(storm.begin + *storm.recovered), "", "storm"});
    }
    const double step = step_of(seconds_);
    for (double at = 0; at <= seconds_ * 1.0001; at += step) marks.push_back(mark(at));
  }

  Chart chart(std::string id, std::string title, std::string unit) const {
    Chart made;
    made.id = std::move(id);
    made.title = std::move(title);
    made.unit = std::move(unit);
    made.x_marks = marks;
    made.spans = spans;
    for (const ChartMark& storm : storms) made.storms.push_back({storm.x, ""});
    return made;
  }

  // A line through the middles of the intervals, and a hint for each of them.
  template <typename Value>
  void draw(Chart& chart, ChartLine line, const Value& value) const {
    for (const Interval& one : course) {
      if (const std::optional<double> found = value(one)) {
        line.points.push_back({(share(one.begin) + share(one.begin + one.length)) / 2, *found});
      }
    }
    chart.lines.push_back(std::move(line));
  }
  template <typename Text>
  void hint(Chart& chart, const Text& text) const {
    for (const Interval& one : course) {
      chart.hints.push_back({share(one.begin), share(one.begin + one.length),
                             clock_text(one.begin) + ": " + text(one), ""});
    }
  }

  const std::vector<Interval> course;
  std::vector<ChartSpan> spans;
  std::vector<ChartMark> storms;
  std::vector<ChartMark> marks;

 private:
  double share(std::chrono::nanoseconds time) const {
    return std::clamp(seconds_of(time) / seconds_, 0.0, 1.0);
  }

  ChartMark mark(double at) const {
    const bool parts = seconds_ < kTimeMarksMax / 2;
    const auto time = std::chrono::nanoseconds(std::llround(at * 1e9));
    return {at / seconds_, parts ? fmt::format("{:.1f} s", at) : clock_text(time)};
  }

  // Whole minutes and hours where seconds would be too many.
  static double step_of(double seconds) {
    for (const double step : {0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0,
                              600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0}) {
      if (seconds / step <= kTimeMarksMax) return step;
    }
    return std::ceil(seconds / kTimeMarksMax / 86400) * 86400;
  }

  double seconds_;
};

double peak_of(const Chart& chart) {
  double peak = 0;
  for (const ChartLine& line : chart.lines) {
    for (const ChartPoint& point : line.points) peak = std::max(peak, point.value);
  }
  return peak;
}

// The lowest and the highest value of all lines, for a logarithmic axis.
Scale scale_around(const Chart& chart) {
  double least = HUGE_VAL;
  for (const ChartLine& line : chart.lines) {
    for (const ChartPoint& point : line.points) least = std::min(least, point.value);
  }
  return Scale::logarithmic(std::isfinite(least) ? least : 1, peak_of(chart));
}

std::string rate_chart(const Time& time, const Result& result) {
  const bool messages = rate_of(result, over_all_phases(result), whole_time(result)) > 0;
  Chart chart = messages ? time.chart("rate", "Messages", "answered a second")
                         : time.chart("rate", "Connections", "opened a second");
  const auto value = [&](const Interval& one) {
    const double seconds = seconds_of(one.length);
    if (messages) return rate_of(result, one.counts, one.length);
    return seconds > 0 ? static_cast<double>(one.counts.opened) / seconds : 0;
  };
  time.draw(chart, {"first", "measured", {}, true},
            [&](const Interval& one) { return std::optional(value(one)); });
  const auto wanted = [&](const Interval& one) {
    const bool known = one.phase < result.phases.size();
    const double rate = known ? result.phases[one.phase].rate_wanted : 0;
    return rate > 0 ? std::optional(rate) : std::nullopt;
  };
  if (std::any_of(time.course.begin(), time.course.end(), wanted)) {
    time.draw(chart, {"wanted", "wanted", {}, false}, wanted);
  }
  time.hint(chart, [&](const Interval& one) { return rate_text(value(one)); });
  chart.y = Scale::linear(peak_of(chart) * 1.08);
  return html_of(chart);
}

std::string latency_chart(const Time& time) {
  Chart chart = time.chart("latency", "RTT", "from when it was due");
  const auto quantile = [](double share) {
    return [share](const Interval& one) {
      const auto value = static_cast<double>(one.rtt.quantile(share).count());
      return one.rtt.empty() ? std::nullopt : std::optional(value);
    };
  };
  time.draw(chart, {"third", "max", {}, false}, quantile(1));
  time.draw(chart, {"second", "p99", {}, false}, quantile(0.99));
  time.draw(chart, {"first", "p50", {}, false}, quantile(0.5));
  if (chart.lines[0].points.empty()) return "";
  time.hint(chart, [](const Interval& one) {
    return fmt::format("p50 {}, p99 {}, max {}", duration_text(one.rtt.quantile(0.5)),
                       duration_text(one.rtt.quantile(0.99)), duration_text(one.rtt.max()));
  });
  chart.y = scale_around(chart);
  chart.tick_text = tick_of_duration;
  return html_of(chart);
}

std::string open_chart(const Time& time) {
  Chart chart = time.chart("open", "Connections", "open");
  time.draw(chart, {"first", "open", {}, true}, [](const Interval& one) {
    return std::optional(static_cast<double>(one.open));
  });
  time.hint(chart, [](const Interval& one) { return count_text(one.open) + " open"; });
  chart.storms = time.storms;
  chart.y = Scale::linear(peak_of(chart) * 1.08);
  return html_of(chart);
}

std::string errors_chart(const Time& time, const Result& result) {
  if (errors_of(result) == 0) return "";
  Chart chart = time.chart("errors", "Errors", "in each interval");
  chart.bars = true;
  time.draw(chart, {"bad", "errors", {}, false}, [](const Interval& one) {
    return std::optional(static_cast<double>(one.errors));
  });
  time.hint(chart, [](const Interval& one) { return count_text(one.errors) + " errors"; });
  chart.y = Scale::linear(peak_of(chart) * 1.08);
  return html_of(chart);
}

// The share of messages that were not slower, by nines: each mark to the right is a tenth of the
// messages of the one before.
std::string percentile_chart(const Result& result) {
  Chart chart;
  chart.id = "percentiles";
  chart.title = "Percentiles";
  chart.unit = "of the measured phases, by nines";
  const std::pair<Timing, const char*> curves[] = {
      {Timing::kRtt, "first"}, {Timing::kService, "second"}, {Timing::kDelivery, "fourth"}};
  double nines_max = 0;
  for (const auto& [timing, style] : curves) {
    const auto count = static_cast<double>(merged(result, timing).count());
    if (count > 1) nines_max = std::max(nines_max, std::log10(count));
  }
  if (nines_max <= 0) return "";
  constexpr int kSteps = 160;
  for (const auto& [timing, style] : curves) {
    const Histogram all = merged(result, timing);
    if (all.empty()) continue;
    ChartLine line{style, std::string(name_of(timing).words), {}, false};
    for (int i = 0; i <= kSteps; ++i) {
      const double x = static_cast<double>(i) / kSteps;
      const double share = 1 - std::pow(10, -x * nines_max);
      if (share < kShareLeast) continue;
      const Histogram::Duration value = i == kSteps ? all.max() : all.quantile(share);
      line.points.push_back({x, static_cast<double>(value.count())});
    }
    chart.lines.push_back(std::move(line));
  }
  for (int nines = 0; nines <= nines_max; ++nines) {
    const double percent = 100 - 100 * std::pow(10, -nines);
    chart.x_marks.push_back({nines / nines_max, fmt::format("{:.{}f} %", percent,
                                                            std::max(0, nines - 2))});
  }
  chart.y = scale_around(chart);
  chart.tick_text = tick_of_duration;
  return html_of(chart);
}

}  // namespace

std::string charts_of(const Result& result) {
  const Time time(result);
  if (time.course.empty()) return percentile_chart(result);
  return rate_chart(time, result) + latency_chart(time) + percentile_chart(result) +
         open_chart(time) + errors_chart(time, result);
}

}  // namespace load::report
