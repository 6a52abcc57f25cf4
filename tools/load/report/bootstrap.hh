// Whether two runs differ by more than noise. Each run is a row of intervals; drawing rows of the
// same length from them again and again (with replacement, in blocks of neighbours, since one
// second is like the next) shows how much a figure of the whole run is what it is by chance. That
// is the circular block bootstrap (Politis and Romano, 1992). Few blocks show too little of it, so
// their spread is widened as Student's t is wider than the normal distribution; and since several
// figures are judged at once, each has 99 % and not 95 %.
#pragma once

#include <array>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/result.hh"

namespace load::report {

enum class Compared : std::uint8_t { kRate, kP50, kP99, kP999, kCpuPerMessage };
inline constexpr std::size_t kComparedFigures = 5;

struct Difference {
  double first = 0;  // rate: a second, all others: ns
  double second = 0;
  double change = 0;       // second / first - 1
  double change_low = 0;   // it is between these with a confidence of 99 %
  double change_high = 0;
  bool beyond_noise = false;  // zero is not between them, and it is no smaller than kChangeLeast
};

// By Compared; none: one of the two did not measure it.
using Differences = std::array<std::optional<Difference>, kComparedFigures>;

inline constexpr std::size_t kIntervalsLeast = 20;
inline constexpr std::size_t kDraws = 1000;
// What nobody would call a difference, and histograms cannot show.
inline constexpr double kChangeLeast = 0.005;

// The same each time for the same results. The error says which of the two has too few intervals.
std::expected<Differences, std::string> compare(const Result& first, const Result& second);

}  // namespace load::report
