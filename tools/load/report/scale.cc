#include "tools/load/report/scale.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace load::report {
namespace {

constexpr double kTicksMost = 8;

// The greatest of 1, 2, 5, 10, 20, ... that is not above `value`, or the least that is not below.
double round_down(double value) {
  const double decade = std::pow(10, std::floor(std::log10(value) + 1e-9));
  for (const double step : {5.0, 2.0}) {
    if (value >= step * decade * (1 - 1e-9)) return step * decade;
  }
  return decade;
}

double round_up(double value) {
  const double below = round_down(value);
  if (below >= value * (1 - 1e-9)) return below;
  const double decade = std::pow(10, std::floor(std::log10(below) + 1e-9));
  return below * (std::abs(below / decade - 2) < 0.1 ? 2.5 : 2);
}

}  // namespace

Scale Scale::linear(double most) {
  const double top = std::max(most, 4.0);
  double step = round_down(top / 4);
  if (top / step > kTicksMost - 2) step = round_up(step * 1.5);
  const double steps = std::ceil(top / step - 1e-9);
  Scale scale(false, 0, step * steps);
  for (double i = 0; i <= steps; ++i) scale.ticks_.push_back(i * step);
  return scale;
}

Scale Scale::logarithmic(double least, double most) {
  const double from = round_down(std::max(least, 1.0));
  const double to = std::max(round_up(std::max(most, 1.0)), from * 5);
  Scale scale(true, from, to);
  const bool many = std::log10(to / from) * 3 + 1 > kTicksMost + 0.5;
  const double decades_step = std::ceil((std::log10(to / from) + 1) / kTicksMost);
  double at = many ? round_up(from) : from;
  if (many) at = std::pow(10, std::ceil(std::log10(from) - 1e-9));
  while (at <= to * (1 + 1e-9)) {
    scale.ticks_.push_back(at);
    at = many ? at * std::pow(10, decades_step) : round_up(at * 1.5);
  }
  return scale;
}

double Scale::position(double value) const {
  const double share = logarithmic_
                           ? std::log(std::max(value, least_) / least_) / std::log(most_ / least_)
                           : (value - least_) / (most_ - least_);
  return std::clamp(share, 0.0, 1.0);
}

std::string tick_of_duration(double nanoseconds) {
  constexpr std::array<std::pair<double, const char*>, 3> kUnits = {
      {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}}};
  for (const auto& [size, unit] : kUnits) {
    if (nanoseconds >= size * 0.9999) return fmt::format("{:.4g} {}", nanoseconds / size, unit);
  }
  return fmt::format("{:.4g} ns", nanoseconds);
}

std::string tick_of_count(double count) {
  if (count >= 999'999.5) return fmt::format("{:.4g} M", count / 1e6);
  if (count >= 9'999.5) return fmt::format("{:.4g} k", count / 1e3);
  return fmt::format("{:.4g}", count);
}

}  // namespace load::report
