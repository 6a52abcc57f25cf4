#include "gateway/config/units.hh"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <span>

namespace gateway::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Largest last, so that printing can search from the back.
constexpr std::array<Unit, 4> kDurationUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}}};
constexpr std::array<Unit, 4> kSizeUnits = {
    {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};

constexpr std::string_view kDurationForm =
    "write a whole number and ms, s, m or h, such as \"30s\"";
constexpr std::string_view kSizeForm =
    "write a whole number and B, KiB, MiB or GiB, such as \"64KiB\"";

std::expected<uint64_t, std::string> parse(std::string_view text, std::span<const Unit> units,
                                           std::string_view form, std::string_view what) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument)
    return std::unexpected(fmt::format("is not a {}: {}", what, form));
  if (error == std::errc::result_out_of_range)
    return std::unexpected(fmt::format("is too large for a {}", what));

  const std::string_view name = text.substr(static_cast<size_t>(end - text.data()));
  if (name.empty()) return std::unexpected(fmt::format("has no unit: {}", form));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > uint64_t{std::numeric_limits<int64_t>::max()} / unit.factor)
      return std::unexpected(fmt::format("is too large for a {}", what));
    return number * unit.factor;
  }
  return std::unexpected(fmt::format("is not a {}: {}", what, form));
}

std::string print(uint64_t number, std::span<const Unit> units) {
  for (size_t at = units.size(); at-- > 1;) {
    if (number != 0 && number % units[at].factor == 0)
      return fmt::format("{}{}", number / units[at].factor, units[at].name);
  }
  return fmt::format("{}{}", number, units[0].name);
}

}  // namespace

std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text) {
  const auto number = parse(text, kDurationUnits, kDurationForm, "duration");
  if (!number) return std::unexpected(number.error());
  return std::chrono::milliseconds(static_cast<int64_t>(*number));
}

std::expected<size_t, std::string> parse_size(std::string_view text) {
  return parse(text, kSizeUnits, kSizeForm, "size");
}

std::string print_duration(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  return print(static_cast<uint64_t>(duration.count()), kDurationUnits);
}

std::string print_size(size_t bytes) {
  return print(bytes, kSizeUnits);
}

}  // namespace gateway::config
