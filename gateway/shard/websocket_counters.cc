#include "gateway/shard/websocket_counters.hh"

#include <fmt/format.h>

#include <iterator>
#include <numeric>

namespace gateway {
namespace {

constexpr std::uint16_t kFirstCode = 1000;
// Behind them stand, in this order:
constexpr std::array<std::string_view, 4> kOtherClasses = {"3xxx", "4xxx", "other", "none"};
constexpr std::size_t kCodes = kCloseClasses - kOtherClasses.size();

// `name_of_index` is asked for what is not zero.
template <std::size_t kSize, class Name>
std::string text_of(const std::array<std::uint64_t, kSize>& numbers, Name name_of_index) {
  std::string text =
      fmt::format("{}", std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0}));
  for (std::size_t index = 0; index < kSize; ++index) {
    if (numbers[index] == 0) continue;
    fmt::format_to(std::back_inserter(text), " {}={}", name_of_index(index), numbers[index]);
  }
  return text;
}

template <std::size_t kSize>
void add_each(std::array<std::uint64_t, kSize>& sums, const std::array<Counter, kSize>& more) {
  for (std::size_t index = 0; index < kSize; ++index) sums[index] += more[index].value();
}

}  // namespace

std::size_t close_class_of(std::uint16_t code) {
  if (code >= kFirstCode && code < kFirstCode + kCodes) return code - kFirstCode;
  const std::size_t other = code == 0 ? 3 : code / 1000 == 3 ? 0 : code / 1000 == 4 ? 1 : 2;
  return kCodes + other;
}

std::string name_of_close_class(std::size_t close_class) {
  if (close_class < kCodes) return std::to_string(kFirstCode + close_class);
  return std::string(kOtherClasses[close_class - kCodes]);
}

void WebSocketTotals::add(const WebSocketCounters& more) {
  opened += more.opened.value();
  add_each(ended, more.ended);
  for (std::size_t party = 0; party < kParties; ++party) {
    add_each(closed[party], more.closed[party]);
  }
  from_client.messages += more.from_client.messages.value();
  from_client.payload_bytes += more.from_client.payload_bytes.value();
  from_upstream.messages += more.from_upstream.messages.value();
  from_upstream.payload_bytes += more.from_upstream.payload_bytes.value();
}

std::string text_of_ended(const WebSocketTotals& totals) {
  return text_of(totals.ended,
                 [](std::size_t index) { return policy_of(static_cast<Reason>(index)).word; });
}

std::string text_of_closed(const WebSocketTotals& totals, Party party) {
  return text_of(totals.closed[static_cast<std::size_t>(party)], name_of_close_class);
}

}  // namespace gateway
