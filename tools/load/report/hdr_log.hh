// HdrHistogram's log: the histograms of a run as text, one line each, tagged by the timing.
//
//     #[Histogram log format version 1.3]
//     #[StartTime: 1441812279.474 (seconds since epoch), 2015-09-09 15:24:39 UTC]
//     "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
//     Tag=rtt,0.127,1.007,2.769,HISTFAAA...
//
// Times are seconds since StartTime, maxima milliseconds. RTT has a line for each interval, so that
// tools can draw its course; what the other timings have, a line for each measured phase.
#pragma once

#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "tools/load/result.hh"

namespace load::report {

std::string hdr_log_of(const Result& result);

// All lines of a log, by tag ("" without one), merged into `to`. The error names the line.
std::expected<void, std::string> read_hdr_log(std::string_view text,
                                              std::map<std::string, Histogram>& to);

// `gateway-load merge a.hlog b.hlog`: prints the quantiles of all files together. The exit status.
int run_merge(std::span<const std::string> files);

}  // namespace load::report
