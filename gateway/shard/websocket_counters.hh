// What has become of WebSockets: how many have opened, why, by whom and with which close code they
// have ended, and what went through those that have. A shard's are plain integers with one writer
// (gateway/metrics/traffic.hh). They are no generation's, so a reload changes none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gateway/link/end.hh"
#include "gateway/metrics/traffic.hh"

namespace gateway {

// Close codes as they are counted: each of 1000 to 1015 (RFC 6455 section 7.4.1, IANA), then those
// of libraries and applications together, whatever else there is, and none.
inline constexpr std::size_t kCloseClasses = 20;
std::size_t close_class_of(std::uint16_t code);  // 0: there was no close frame
std::string name_of_close_class(std::size_t close_class);

// `Number` is a Counter, or a sum of those of several shards.
template <class Number>
struct WebSocketTally {
  struct Sent {
    Number messages{};
    Number payload_bytes{};
  };

  Number opened{};
  std::array<Number, kReasons> ended{};
  std::array<std::array<Number, kCloseClasses>, kParties> closed{};  // by who has ended them
  Sent from_client;  // by those that have ended, as their lines in the log say
  Sent from_upstream;
};

using WebSocketCounters = WebSocketTally<Counter>;

struct WebSocketTotals : WebSocketTally<std::uint64_t> {
  void add(const WebSocketCounters& more);
};

// "3 done=2 idle=1": all of them, then each reason that there was, by its word in the log.
std::string text_of_ended(const WebSocketTotals& totals);
// The same by close codes, of those that `party` has ended.
std::string text_of_closed(const WebSocketTotals& totals, Party party);

}  // namespace gateway
