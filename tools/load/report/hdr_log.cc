#include "tools/load/report/hdr_log.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "tools/load/report/figures.hh"
#include "tools/load/report/file.hh"
#include "tools/load/report/hdr_encoding.hh"
#include "tools/load/report/quantile_table.hh"
#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

constexpr std::size_t kTagsMax = 64;  // of all files together

void put_line(std::string& to, std::string_view tag, std::chrono::nanoseconds begin,
              std::chrono::nanoseconds length, const Histogram& histogram) {
  if (histogram.empty()) return;
  const double max_ms = std::chrono::duration<double, std::milli>(histogram.max()).count();
  to += fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", tag, seconds_of(begin), seconds_of(length),
                    max_ms, encode(histogram));
}

void put_intervals(std::string& to, const Result& result) {
  for (const Interval& one : result.intervals) {
    if (one.phase < result.phases.size() && is_ramp(result.phases[one.phase])) continue;
    put_line(to, name_of(Timing::kRtt).key, one.begin, one.length, one.rtt);
  }
}

void put_phases(std::string& to, const Result& result, const TimingName& name) {
  for (const Phase& phase : result.phases) {
    if (is_ramp(phase) && !name.of_connections) continue;
    put_line(to, name.key, phase.begin, phase.length,
             phase.timings[static_cast<std::size_t>(name.timing)]);
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// [Tag=...,]begin,length,max,histogram
std::expected<void, std::string> read_line(std::string_view line,
                                           std::map<std::string, Histogram>& to) {
  std::string tag;
  if (line.starts_with("Tag=")) {
    const std::size_t comma = line.find(',');
    tag = line.substr(4, comma == std::string_view::npos ? comma : comma - 4);
    line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
  }
  for (const char* const what : {"a beginning", "a length", "a maximum"}) {
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos || !is_number(line.substr(0, comma))) {
      return std::unexpected(fmt::format("{} in numbers and a comma should follow", what));
    }
    line.remove_prefix(comma + 1);
  }
  const auto histogram = decode(line);
  if (!histogram) return std::unexpected("the histogram cannot be read: " + histogram.error());
  if (to.size() >= kTagsMax && !to.contains(tag)) {
    return std::unexpected(fmt::format("there are more than {} tags", kTagsMax));
  }
  to[tag].merge(*histogram);
  return {};
}

}  // namespace

std::string hdr_log_of(const Result& result) {
  const std::chrono::system_clock::time_point began{
      std::chrono::milliseconds(result.began_unix_ms)};
  std::string log = fmt::format(
      "#[Logged by gateway-load {}]\n#[Histogram log format version 1.3]\n"
      "#[StartTime: {}.{:03} (seconds since epoch), {:%Y-%m-%d %H:%M:%S} UTC]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      printable(result.version), result.began_unix_ms / 1000, result.began_unix_ms % 1000,
      fmt::gmtime(std::chrono::time_point_cast<std::chrono::seconds>(began)));
  Histogram of_intervals;
  for (const Interval& one : result.intervals) of_intervals.merge(one.rtt);
  for (const TimingName& name : kTimingNames) {
    if (name.timing == Timing::kRtt && !of_intervals.empty()) {
      put_intervals(log, result);
    } else {
      put_phases(log, result, name);
    }
  }
  return log;
}

std::expected<void, std::string> read_hdr_log(std::string_view text,
                                              std::map<std::string, Histogram>& to) {
  std::size_t number = 0;
  std::size_t histograms = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#' || line.front() == '"') continue;
    if (const auto read = read_line(line, to); !read) {
      return std::unexpected(fmt::format("line {}: {}", number, read.error()));
    }
    ++histograms;
  }
  if (histograms == 0) return std::unexpected("there is no histogram in it");
  return {};
}

int run_merge(std::span<const std::string> files) {
  std::map<std::string, Histogram> histograms;
  for (const std::string& file : files) {
    const auto text = read_file(file);
    const auto read = text ? read_hdr_log(*text, histograms)
                           : std::expected<void, std::string>(std::unexpected(text.error()));
    if (!read) {
      fmt::print(stderr, "gateway-load: {}: {}\n", file, read.error());
      return 2;
    }
  }
  QuantileTable table;
  for (const auto& [tag, histogram] : histograms) {
    table.add(tag.empty() ? "(no tag)" : printable(tag), histogram);
  }
  fmt::print("{}", table.text());
  return 0;
}

}  // namespace load::report
