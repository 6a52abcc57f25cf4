// The messages between the main thread and the shards.
#pragma once

#include <cstdint>
#include <variant>

#include "gateway/config/generation.hh"

namespace gateway {

// What the main thread tells a shard. To stop, and to cut what is left: each once at the most.
struct StopOrder {};
struct CutOrder {};
// A newer generation, with listeners at the same addresses in the same order: the next one after
// the shard has reported this one. One that stops takes no more of them.
struct AdoptOrder {
  config::SharedGeneration generation;
};
using Order = std::variant<StopOrder, CutOrder, AdoptOrder>;
inline constexpr std::size_t kOrdersMax = std::variant_size_v<Order>;  // that wait for one shard

// And a shard the main thread.
enum class Report : std::uint8_t {
  kDrained,  // nobody new comes in: once
  kEnded,    // once, and the last
  kAdopted,
};
inline constexpr std::size_t kReportsMax = 3;  // that wait of one shard

}  // namespace gateway
