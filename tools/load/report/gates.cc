#include "tools/load/report/gates.hh"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "tools/load/report/figure.hh"
#include "tools/load/report/figures.hh"

namespace load::gates {
namespace {

struct Sign {
  std::string_view text;
  Comparison comparison;
};
// Longer ones first, so that ">=" is not taken for ">".
constexpr Sign kSigns[] = {
    {">=", Comparison::kMoreOrSame}, {"<=", Comparison::kLessOrSame}, {"!=", Comparison::kOther},
    {"==", Comparison::kSame},       {">", Comparison::kMore},        {"<", Comparison::kLess},
    {"=", Comparison::kSame},
};

struct Factor {
  std::string_view unit;
  double factor;
};
constexpr Factor kDurations[] = {{"ns", 1},   {"us", 1e3},  {"ms", 1e6},
                                 {"s", 1e9},  {"m", 60e9},  {"h", 3600e9}};
constexpr Factor kCounts[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
constexpr Factor kRates[] = {{"", 1},      {"/s", 1},  {"k", 1e3},
                             {"k/s", 1e3}, {"M", 1e6}, {"M/s", 1e6}};
constexpr Factor kBytes[] = {{"", 1},   {"B", 1},   {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
                             {"k", 1e3}, {"M", 1e6}, {"G", 1e9}};

std::span<const Factor> units_of(Figure::Unit unit) {
  switch (unit) {
    case Figure::Unit::kDuration: return kDurations;
    case Figure::Unit::kPerSecond: return kRates;
    case Figure::Unit::kBytes: return kBytes;
    case Figure::Unit::kNone: break;
  }
  return kCounts;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::expected<double, std::string> parse_limit(std::string_view text, Figure::Unit unit) {
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value,
                                             std::chars_format::fixed);
  const bool begins_well = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (status != std::errc() || !begins_well) return std::unexpected("it should be a number");
  const auto taken = static_cast<std::size_t>(end - text.data());
  const std::string_view given = trimmed(text.substr(taken));
  std::string allowed;
  for (const Factor& one : units_of(unit)) {
    if (one.unit == given) return value * one.factor;
    if (!allowed.empty()) allowed += ", ";
    allowed += one.unit.empty() ? "none" : one.unit;
  }
  return std::unexpected(fmt::format("its unit should be one of {}", allowed));
}

bool compare(double value, Comparison comparison, double limit) {
  switch (comparison) {
    case Comparison::kMore: return value > limit;
    case Comparison::kMoreOrSame: return value >= limit;
    case Comparison::kLess: return value < limit;
    case Comparison::kLessOrSame: return value <= limit;
    case Comparison::kSame: return value == limit;
    case Comparison::kOther: return value != limit;
  }
  return false;
}

}  // namespace

std::expected<Gate, std::string> parse(std::string_view text) {
  const auto fault = [&](std::string_view what, std::string_view part, std::string_view cure) {
    return std::unexpected(fmt::format("\"{}\": {} \"{}\": {}", report::printable(text), what,
                                       report::printable(part), cure));
  };
  const std::size_t at = text.find_first_of("<>=!");
  if (at == std::string_view::npos) {
    return std::unexpected(fmt::format(
        "\"{}\": a comparison (>, >=, <, <=, =, !=) and a limit should follow, as in rtt.p99>20ms",
        report::printable(text)));
  }
  const std::string_view name = trimmed(text.substr(0, at));
  auto figure = parse_figure(name);
  if (!figure) return fault("figure", name, figure.error());
  for (const Sign& sign : kSigns) {
    if (!text.substr(at).starts_with(sign.text)) continue;
    const std::string_view limit_text = trimmed(text.substr(at + sign.text.size()));
    const auto limit = parse_limit(limit_text, figure->unit);
    if (!limit) return fault("limit", limit_text, limit.error());
    return Gate{std::string(text), std::move(*figure), sign.comparison, *limit};
  }
  return fault("comparison", text.substr(at, 1), "it can be >, >=, <, <=, = or !=");
}

std::optional<bool> holds(const Gate& gate, const Result& result) {
  const auto value = gate.figure.read(result, gate.figure);
  if (!value) return std::nullopt;
  return compare(*value, gate.comparison, gate.limit);
}

GateResults judge(std::span<const Gate> gates, const Result& result) {
  GateResults results;
  for (const Gate& gate : gates) {
    const auto value = gate.figure.read(result, gate.figure);
    const bool failed = !value || compare(*value, gate.comparison, gate.limit);
    results.push_back({gate, value, failed});
  }
  return results;
}

std::string found_text(const GateResult& result) {
  const std::string name = report::printable(result.gate.figure.name);
  if (!result.value) return name + " was not measured";
  return name + " is " + value_text(result.gate.figure, *result.value);
}

}  // namespace load::gates
