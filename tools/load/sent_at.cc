#include "tools/load/sent_at.hh"

#include <charconv>
#include <cmath>

namespace load {
namespace {

// Below it a time is in seconds; a thousand times as much, and it is in milliseconds, and so on.
constexpr std::uint64_t kSecondsMax = 100'000'000'000;
constexpr std::uint64_t kNanosecondsMax = std::uint64_t{1} << 62;

// How many of these are a second.
std::uint64_t unit_of(std::uint64_t whole) {
  std::uint64_t unit = 1;
  for (std::uint64_t most = kSecondsMax; whole >= most && unit < 1'000'000'000; most *= 1000) {
    unit *= 1000;
  }
  return unit;
}

}  // namespace

std::expected<SentAt, std::string> parse_sent_at(std::string_view text) {
  if (text == "mark") return SentAt{};
  auto pointer = JsonPointer::parse(text);
  if (!pointer) return std::unexpected("neither mark nor a JSON pointer: " + std::string(text));
  return SentAt{.pointer = std::move(*pointer)};
}

std::optional<std::chrono::nanoseconds> parse_unix_time(std::string_view text) {
  std::uint64_t whole = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, whole);
  if (error != std::errc{}) return std::nullopt;
  double fraction = 0;
  if (end != last) {
    if (*end != '.') return std::nullopt;
    const auto rest = std::from_chars(end, last, fraction, std::chars_format::fixed);
    if (rest.ec != std::errc{} || rest.ptr != last) return std::nullopt;
  }
  const std::uint64_t unit = unit_of(whole);
  const std::uint64_t unit_ns = 1'000'000'000 / unit;
  if (whole > kNanosecondsMax / unit_ns) return std::nullopt;
  const auto part = static_cast<std::uint64_t>(std::round(fraction * static_cast<double>(unit_ns)));
  return std::chrono::nanoseconds(whole * unit_ns + part);
}

}  // namespace load
