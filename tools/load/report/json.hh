// A result as JSON, with a schema that later versions add to and do not change:
//
//     schema 1, tool "gateway-load", version, command, targets, began_unix_ms
//     verdict {status, text}, gates [{text, value, failed}]: the value in ns, bytes, or a second
//     open, open_max, interrupted, target_unreachable, found_rate (or null)
//     total {seconds, rate, errors, counts}: of the measured phases, for who reads no further
//     phases [{name, begin_ns, length_ns, rate_wanted, counts, timings {rtt: TIMING, ...}}]
//     intervals [{begin_ns, length_ns, phase, open, errors, watched_cpu_seconds, counts,
//         rtt: TIMING}]
//     TIMING {count, min_ns, mean_ns, p50_ns, p90_ns, p99_ns, p99.9_ns, max_ns, histogram}: the
//         histogram is HdrHistogram's V2 compressed form in base64; absent without values
//     counts {sent, received, ...}: those that are zero are absent
//     storms [{begin_ns, dropped, recovered_ns (or null)}]
//     closes_by_peer, closes_by_us, statuses {"1000": count}, errors {kind: {count, example}}
//     generator {cpu_seconds, busiest_shard, shards, limits}
//     watched [{pid, cpu_seconds, resident_bytes_max, resident_bytes_before}]
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "tools/load/report/gates.hh"

namespace load::report {

// One object, on one line, with a line's end.
std::string json_of(const Result& result, const GateResults& gates);

// Of a file that somebody gives us. The error names the place in it and what should be there.
std::expected<Result, std::string> result_of_json(std::string_view text);

}  // namespace load::report
