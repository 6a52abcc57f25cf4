#include "tools/load/duration_range.hh"

#include "tools/load/units.hh"

namespace load {

std::expected<DurationRange, std::string> DurationRange::parse(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto least = parse_duration(text.substr(0, dots));
  if (!least) return std::unexpected(least.error());
  const auto most =
      dots == std::string_view::npos ? least : parse_duration(text.substr(dots + 2));
  if (!most) return std::unexpected(most.error());
  if (*most < *least) {
    return std::unexpected("the shorter one comes first, each with its unit, as in 50ms..150ms: " +
                           std::string(text));
  }
  if (*most > kMost) return std::unexpected("at most 1h: " + std::string(text));
  DurationRange range;
  range.least_ = *least;
  range.most_ = *most;
  return range;
}

std::chrono::nanoseconds DurationRange::draw(std::mt19937_64& random) const {
  if (least_ == most_) return most_;
  std::uniform_int_distribution<std::int64_t> distribution(least_.count(), most_.count());
  return std::chrono::nanoseconds(distribution(random));
}

}  // namespace load
