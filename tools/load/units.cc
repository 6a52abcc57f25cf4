#include "tools/load/units.hh"

#include <charconv>
#include <cmath>

namespace load {
namespace {

constexpr double kSecondsMax = 365.0 * 24 * 3600;
constexpr double kBytesMax = 1024.0 * 1024 * 1024;

struct Number {
  double value;
  std::string_view unit;
};

// A number of at least 0, and what follows it.
std::expected<Number, std::string> split(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value) || value < 0) {
    return std::unexpected("not a number of at least 0: " + std::string(text));
  }
  return Number{value, text.substr(static_cast<std::size_t>(end - text.data()))};
}

}  // namespace

std::expected<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  static constexpr Unit kUnits[] = {{"", 1},      {"s", 1},  {"ms", 1e-3}, {"us", 1e-6},
                                    {"ns", 1e-9}, {"m", 60}, {"min", 60},  {"h", 3600}};
  const auto number = split(text);
  if (!number) return std::unexpected(number.error());
  for (const Unit& unit : kUnits) {
    if (unit.name != number->unit) continue;
    const double seconds = number->value * unit.seconds;
    if (seconds > kSecondsMax) return std::unexpected("longer than a year: " + std::string(text));
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds));
  }
  return std::unexpected("not a duration such as 250ms, 10s or 5m: " + std::string(text));
}

std::expected<std::uint64_t, std::string> parse_bytes(std::string_view text) {
  const auto number = split(text);
  if (!number) return std::unexpected(number.error());
  double factor = 0;
  if (number->unit.empty()) factor = 1;
  if (number->unit == "k" || number->unit == "K") factor = 1024;
  if (number->unit == "M") factor = 1024.0 * 1024;
  if (number->unit == "G") factor = 1024.0 * 1024 * 1024;
  const double bytes = number->value * factor;
  if (factor == 0 || bytes > kBytesMax) {
    return std::unexpected("not a size such as 64, 16k or 1M, up to 1G: " + std::string(text));
  }
  return static_cast<std::uint64_t>(bytes);
}

std::expected<double, std::string> parse_share(std::string_view text) {
  const auto number = split(text);
  if (!number) return std::unexpected(number.error());
  const double share = number->unit == "%" ? number->value / 100 : number->value;
  if ((!number->unit.empty() && number->unit != "%") || share > 1) {
    return std::unexpected("not a share such as 50% or 0.5: " + std::string(text));
  }
  return share;
}

}  // namespace load
