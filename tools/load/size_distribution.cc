#include "tools/load/size_distribution.hh"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tools/load/units.hh"

namespace load {
namespace {

constexpr std::string_view kExponential = "exp:";
constexpr std::uint64_t kMostMeans = 32;
constexpr std::uint64_t kMeanMax = (std::uint64_t{1} << 30) / kMostMeans;
constexpr double kWeightMax = 1e9;

std::unexpected<std::string> refuse(std::string_view why, std::string_view text) {
  return std::unexpected(std::string(why) + ": " + std::string(text));
}

// SplitMix64's output function: neighbours have nothing in common.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
  value = (value ^ value >> 27) * 0x94D049BB133111EBu;
  return value ^ value >> 31;
}

std::expected<double, std::string> parse_weight(std::string_view text) {
  double weight = 0;
  const char* const behind = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), behind, weight);
  if (error == std::errc{} && end == behind && weight > 0 && weight <= kWeightMax) return weight;
  return refuse("a weight is a number above 0, such as the 90 in 64*90", text);
}

}  // namespace

std::expected<SizeDistribution, std::string> SizeDistribution::parse(std::string_view text) {
  if (text.starts_with(kExponential)) return parse_exponential(text.substr(kExponential.size()));
  if (text.find_first_of("*,") != std::string_view::npos) return parse_choices(text);
  if (const std::size_t dots = text.find(".."); dots != std::string_view::npos) {
    return parse_range(text, dots);
  }
  const auto bytes = parse_bytes(text);
  if (!bytes) return std::unexpected(bytes.error() + "; or 64..16k, exp:1k, 64*90,16k*10");
  return SizeDistribution(*bytes);
}

std::expected<SizeDistribution, std::string> SizeDistribution::parse_range(std::string_view text,
                                                                           std::size_t dots) {
  const auto least = parse_bytes(text.substr(0, dots));
  if (!least) return std::unexpected(least.error());
  const auto most = parse_bytes(text.substr(dots + 2));
  if (!most) return std::unexpected(most.error());
  if (*least > *most) return refuse("the smaller size comes first, as in 64..16k", text);
  SizeDistribution sizes(*least);
  sizes.most_ = *most;
  return sizes;
}

std::expected<SizeDistribution, std::string> SizeDistribution::parse_exponential(
    std::string_view text) {
  const auto mean = parse_bytes(text);
  if (!mean) return std::unexpected(mean.error());
  if (*mean == 0 || *mean > kMeanMax) return refuse("a mean is from 1 to 32M", text);
  SizeDistribution sizes(1);
  sizes.kind_ = Kind::kExponential;
  sizes.mean_ = static_cast<double>(*mean);
  sizes.most_ = *mean * kMostMeans;
  return sizes;
}

std::expected<SizeDistribution, std::string> SizeDistribution::parse_choices(
    std::string_view text) {
  SizeDistribution sizes(0);
  sizes.kind_ = Kind::kWeighted;
  double sum = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view choice = text.substr(begin, end - begin);
    const std::size_t star = std::min(choice.find('*'), choice.size());
    const auto bytes = parse_bytes(choice.substr(0, star));
    if (!bytes) return std::unexpected(bytes.error());
    const auto weight = parse_weight(star == choice.size() ? "1" : choice.substr(star + 1));
    if (!weight) return std::unexpected(weight.error());
    if (sizes.choices_.size() == kChoicesMax) return refuse("more than 64 sizes", text);
    sum += *weight;
    sizes.choices_.push_back({*bytes, sum});
    begin = end + 1;
  }
  for (Choice& each : sizes.choices_) each.part_up_to /= sum;
  const auto [least, most] = std::ranges::minmax_element(sizes.choices_, {}, &Choice::bytes);
  sizes.least_ = least->bytes;
  sizes.most_ = most->bytes;
  return sizes;
}

std::uint64_t SizeDistribution::at(double part) const {
  if (least_ == most_) return least_;
  if (kind_ == Kind::kUniform) {
    const double wide = static_cast<double>(most_ - least_ + 1);
    return std::min(least_ + static_cast<std::uint64_t>(part * wide), most_);
  }
  if (kind_ == Kind::kExponential) {
    const double bytes = std::ceil(-mean_ * std::log1p(-part));
    return std::clamp(static_cast<std::uint64_t>(std::min(bytes, static_cast<double>(most_))),
                      least_, most_);
  }
  for (const Choice& each : choices_) {
    if (part < each.part_up_to) return each.bytes;
  }
  return choices_.back().bytes;
}

std::uint64_t SizeDistribution::of_message(std::uint64_t connection, std::uint64_t number) const {
  if (least_ == most_) return least_;
  constexpr int kDoubleBits = 53;
  return at(std::ldexp(static_cast<double>(mix(mix(connection) ^ number) >> (64 - kDoubleBits)),
                       -kDoubleBits));
}

}  // namespace load
