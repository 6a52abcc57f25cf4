// The messages between the main thread and the shards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/shard/shard_listener.hh"
#include "gateway/shard/under_way.hh"

namespace gateway {

// What the main thread tells a shard. To stop, and to cut what is left: each once at the most.
struct StopOrder {};
struct CutOrder {};
// A newer generation, and where the shard listens beside what it has: the next one after all shards
// have reported this one, and none after a StopOrder. Nobody new is let into the queues of the
// addresses that the generation does not have any more.
struct AdoptOrder {
  config::SharedGeneration generation;
  std::vector<ListeningSocket> added;
};
// To show that it is alive, by adding one to what outlives all shards: the next one after the last
// was answered, as each is, or was refused.
struct AnswerOrder {
  std::atomic<unsigned>* answers;
};
using Order = std::variant<StopOrder, CutOrder, AdoptOrder, AnswerOrder>;
inline constexpr std::size_t kOrdersMax = std::variant_size_v<Order>;  // that wait for one shard

// And a shard the main thread.
struct Report {
  enum class Kind : std::uint8_t {
    kDrained,  // nobody new comes in: once
    kEnded,    // once, and the last
    // What begins from here on begins in the newest generation; the listeners that it does not have
    // may be closed.
    kAdopted,
  };
  Kind kind;
  UnderWay under_way;
};
inline constexpr std::size_t kReportsMax = 3;  // that wait of one shard

}  // namespace gateway
