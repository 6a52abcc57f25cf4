#include "tools/load/report/summary.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/load/report/figures.hh"

namespace load::report {

const TimingName& name_of(Timing timing) {
  return kTimingNames[static_cast<std::size_t>(timing)];
}

bool is_ramp(const Phase& phase) { return phase.name.starts_with("ramp"); }

bool is_empty(const Phase& phase) {
  return phase.length.count() == 0 &&
         std::all_of(kCountNames.begin(), kCountNames.end(),
                     [&](const CountName& one) { return phase.counts.*one.member == 0; });
}

Counts over_all_phases(const Result& result) {
  Counts sum;
  for (const Phase& phase : result.phases) {
    // What one phase leaves in flight the next one counts as sent.
    sum.sent -= sum.in_flight;
    sum.in_flight = 0;
    add(sum, phase.counts);
  }
  return sum;
}

Histogram merged(const Result& result, Timing timing) {
  Histogram all;
  for (const Phase& phase : result.phases) {
    if (is_ramp(phase) && !name_of(timing).of_connections) continue;
    all.merge(phase.timings[static_cast<std::size_t>(timing)]);
  }
  return all;
}

std::chrono::nanoseconds measured_time(const Result& result) {
  std::chrono::nanoseconds sum{0};
  for (const Phase& phase : result.phases) {
    if (!is_ramp(phase)) sum += phase.length;
  }
  return sum;
}

std::chrono::nanoseconds whole_time(const Result& result) {
  std::chrono::nanoseconds end{0};
  for (const Phase& phase : result.phases) end = std::max(end, phase.begin + phase.length);
  for (const Interval& one : result.intervals) end = std::max(end, one.begin + one.length);
  return end;
}

double rate_of(const Result& result, const Counts& counts, std::chrono::nanoseconds time) {
  if (time.count() <= 0) return 0;
  return static_cast<double>(answers_or_deliveries(result, counts)) / seconds_of(time);
}

double rate_of(const Result& result) {
  return rate_of(result, total(result), measured_time(result));
}

double connect_rate_of(const Result& result) {
  const auto time = measured_time(result);
  return time.count() > 0 ? static_cast<double>(total(result).opened) / seconds_of(time) : 0;
}

std::uint64_t errors_of(const Result& result) {
  std::uint64_t sum = 0;
  for (const auto& [kind, error] : result.errors) sum += error.count;
  return sum;
}

std::optional<std::chrono::nanoseconds> cpu_per_message(const Result& result) {
  const std::uint64_t messages = answers_or_deliveries(result, total(result));
  if (result.watched.empty() || messages == 0) return std::nullopt;
  double seconds = 0;
  for (const Watched& one : result.watched) {
    if (one.gone) return std::nullopt;
    seconds += one.cpu_seconds;
  }
  return std::chrono::nanoseconds(std::llround(seconds * 1e9 / static_cast<double>(messages)));
}

std::string failure_of(const Result& result) {
  if (result.interrupted) return "";
  if (result.found_rate && *result.found_rate <= 0) return "no rate was within the objective";
  if (result.cut_short) {
    const CutShort& cut = *result.cut_short;
    return fmt::format("no connection was left after {} of the {} of phase {} (--reconnect opens "
                       "others)",
                       duration_text(cut.after), duration_text(cut.of), printable(cut.phase));
  }
  const Counts counts = over_all_phases(result);
  if (result.of_deliveries && counts.delivered == 0) return "nothing was delivered";
  const std::uint64_t in_vain = counts.lost + counts.unanswered + counts.unsent;
  if (in_vain == 0 || counts.received + counts.delivered + counts.late > 0) return "";
  const std::uint64_t due = counts.sent + counts.unsent;
  return fmt::format("none of {} {} was answered", count_text(due),
                     due == 1 ? "message" : "messages");
}

std::string compressed_connections(const Result& result) {
  if (!result.compress) return "";
  const Counts counts = over_all_phases(result);
  return fmt::format("{} of {}", count_text(counts.compressed), count_text(counts.opened));
}

std::string compression_ratios(const Result& result) {
  if (!result.compress) return "";
  const Counts counts = over_all_phases(result);
  if (counts.compressed == 0) return "";
  std::string text;
  const auto add_ratio = [&text](std::uint64_t bytes, std::uint64_t on_wire,
                                 std::string_view direction) {
    if (bytes == 0 || on_wire == 0) return;
    const double ratio = static_cast<double>(bytes) / static_cast<double>(on_wire);
    text += fmt::format("{}{:.2f}:1 {}", text.empty() ? "" : ", ", ratio, direction);
  };
  add_ratio(counts.sent_bytes, counts.sent_wire_bytes, "out");
  add_ratio(counts.received_bytes, counts.received_wire_bytes, "in");
  return text;
}

std::string imbalance_of(const Result& result) {
  for (const Phase& phase : result.phases) {
    const Counts& counts = phase.counts;
    if (adds_up(counts)) continue;
    return fmt::format("phase {}: {} sent, but {} received + {} lost + {} in flight +"
                       " {} unanswered",
                       printable(phase.name), count_text(counts.sent),
                       count_text(counts.received), count_text(counts.lost),
                       count_text(counts.in_flight), count_text(counts.unanswered));
  }
  return "";
}

}  // namespace load::report
