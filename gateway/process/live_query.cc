#include "gateway/process/live_query.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

#include "gateway/config/suggest.hh"
#include "gateway/config/units.hh"

namespace gateway {
namespace {

using Fault = std::unexpected<std::string>;

Fault fault_of(std::string_view name, std::string_view value, std::string_view what) {
  return Fault(fmt::format("{}: '{}' {}", name, value, what));
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

std::expected<std::size_t, std::string> word_of(std::string_view name, const std::string& text,
                                                std::span<const std::string_view> words) {
  const auto found = std::ranges::find(words, text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  return fault_of(
      name, text,
      fmt::format("is none of {}{}", fmt::join(words, ", "), config::did_you_mean(text, words)));
}

}  // namespace

std::expected<LiveFilter, std::string> live_filter_from(const TakeText& take) {
  LiveFilter filter;
  for (const auto& [name, member] : {std::pair{"route", &LiveFilter::route},
                                     {"pool", &LiveFilter::pool},
                                     {"server", &LiveFilter::server},
                                     {"listener", &LiveFilter::listener}}) {
    if (auto text = take(name)) {
      if (text->empty()) return fault_of(name, *text, "is empty");
      filter.*member = *std::move(text);
    }
  }
  if (const auto text = take("kind")) {
    const auto kind = word_of("kind", *text, kLiveKindNames);
    if (!kind) return Fault(kind.error());
    filter.kind = static_cast<LiveKind>(*kind);
  }
  if (const auto text = take("client")) {
    const auto network = config::parse_network(*text);
    if (!network) return fault_of("client", *text, network.error());
    filter.client = *network;
  }
  for (const auto& [name, member] :
       {std::pair{"age", &LiveFilter::age}, {"idle", &LiveFilter::idle}}) {
    const auto text = take(name);
    if (!text) continue;
    const auto time = config::parse_duration(*text);
    if (!time) return fault_of(name, *text, time.error());
    filter.*member = *time;
  }
  if (const auto text = take("buffered")) {
    const auto bytes = config::parse_size(*text);
    if (!bytes) return fault_of("buffered", *text, bytes.error());
    filter.buffered_bytes = *bytes;
  }
  if (const auto text = take("message_rate")) {
    const auto rate = number_of<double>(*text);
    if (!rate || !std::isfinite(*rate) || *rate < 0)
      return fault_of("message_rate", *text, "is no number of messages a second, such as 2.5");
    filter.messages_per_second = *rate;
  }
  return filter;
}

std::expected<LiveQuery, std::string> live_query_from(const TakeText& take) {
  LiveQuery query;
  auto filter = live_filter_from(take);
  if (!filter) return Fault(filter.error());
  query.filter = *std::move(filter);
  if (const auto text = take("sort")) {
    query.greatest_first = text->starts_with('-');
    const auto sort = word_of("sort", text->substr(query.greatest_first ? 1 : 0), kLiveSortNames);
    if (!sort) return Fault(sort.error());
    query.sort = static_cast<LiveSort>(*sort);
  }
  if (const auto text = take("limit")) {
    const auto rows = number_of<std::size_t>(*text);
    if (!rows || *rows == 0 || *rows > LiveQuery::kRowsMax)
      return fault_of("limit", *text, fmt::format("is not 1 to {}", LiveQuery::kRowsMax));
    query.rows = *rows;
  }
  if (const auto text = take("after")) {
    query.after = place_from(*text);
    if (!query.after) return fault_of("after", *text, "is no 'next' of an earlier page");
  }
  return query;
}

std::string cursor_of(const LivePlace& place) {
  // Without what a query has another meaning for.
  std::string value = fmt::format("{:a}", place.value);
  std::erase(value, '+');
  return fmt::format("{}_{}", value, place.id);
}

std::optional<LivePlace> place_from(std::string_view cursor) {
  const std::size_t sign = cursor.find('_');
  if (sign == cursor.npos) return std::nullopt;
  std::string_view value = cursor.substr(0, sign);
  const bool is_negative = value.starts_with('-');
  if (is_negative) value.remove_prefix(1);
  if (!value.starts_with("0x")) return std::nullopt;
  value.remove_prefix(2);
  LivePlace place;
  const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), place.value,
                                             std::chars_format::hex);
  const auto id = number_of<std::uint64_t>(cursor.substr(sign + 1));
  const bool is_read =
      error == std::errc() && stop == value.data() + value.size() && id.has_value();
  if (!is_read || !std::isfinite(place.value)) return std::nullopt;
  if (is_negative) place.value = -place.value;
  place.id = *id;
  return place;
}

}  // namespace gateway
