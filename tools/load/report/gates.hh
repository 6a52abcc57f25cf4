// Gates: what must not be so, else the run has failed. `rtt.p99>20ms` fails a run whose 99th
// percentile is above 20 ms. The grammar is
//
//     gate       = figure comparison limit
//     figure     = timing "." statistic | "close." code | "status." code | name
//     timing     = "tcp" | "tls" | "upgrade" | "first_message" | "rtt" | "service" | "delivery"
//                | "lag"
//     statistic  = "p" 0 to 100 | "min" | "mean" | "max" | "count"
//     name       = "rate" | "errors" | "lost" | "bad.open" | ... (all_names() in figure.cc)
//     comparison = ">" | ">=" | "<" | "<=" | "=" | "!="
//     limit      = number [unit]: ns us ms s m h for durations, k M G (thousands) for the others
//
// A figure that nothing was measured for fails its gate: such a run proves nothing.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/result.hh"

namespace load {

enum class Comparison : std::uint8_t { kMore, kMoreOrSame, kLess, kLessOrSame, kSame, kOther };

struct Figure {
  enum class Unit : std::uint8_t { kNone, kDuration, kPerSecond, kBytes };

  std::string name;  // as it was written
  Unit unit = Unit::kNone;  // kDuration: the value is in nanoseconds
  // The value; none: nothing was measured.
  std::optional<double> (*read)(const Result&, const Figure&) = nullptr;
  Timing timing = Timing::kRtt;
  double share = 0;                         // of a quantile
  std::uint64_t Counts::*member = nullptr;  // of a counter
  int code = 0;                             // of a close or a status
};

struct Gate {
  std::string text;  // as it was given
  Figure figure;
  Comparison comparison = Comparison::kMore;
  double limit = 0;
};

struct GateResult {
  Gate gate;
  std::optional<double> value;
  bool failed = false;
};
using GateResults = std::vector<GateResult>;

namespace gates {

// The error names the place within the text, and what is allowed there.
std::expected<Gate, std::string> parse(std::string_view text);

// Whether the comparison holds for a result; none: nothing was measured.
std::optional<bool> holds(const Gate& gate, const Result& result);
GateResults judge(std::span<const Gate> gates, const Result& result);

// "rtt.p99 is 23.4 ms"
std::string found_text(const GateResult& result);

}  // namespace gates
}  // namespace load
