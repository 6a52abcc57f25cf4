// The messages between the main thread and the shards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/shard/live_table.hh"
#include "gateway/shard/paced_closing.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/shard/shard_listener.hh"
#include "gateway/shard/under_way.hh"
#include "gateway/upstream/registry.hh"

namespace gateway {

// What the main thread tells a shard. That a stop is to come, to stop, and then to cut what is
// left: each once at the most. At the addresses that are handed over a successor accepts, at the
// same sockets.
struct AnnounceOrder {};
struct StopOrder {
  PacedPlan websockets;
  std::vector<config::Address> handed_over{};
};
struct CutOrder {};
// A newer generation, and where the shard listens beside what it has: the next one after all shards
// have reported this one, and none after a StopOrder. Nobody new is let into the queues of the
// addresses that the generation does not have any more.
struct AdoptOrder {
  config::SharedGeneration generation;
  std::vector<ListeningSocket> added;
  // How WebSockets are closed whose route or server it does not have; nothing: they live on.
  std::optional<PacedPlan> orphans = std::nullopt;
  // Of pools that have others than the configuration says.
  std::vector<PoolServers> servers{};
};
// These pools have these servers from here on, in the newest generation. The next one after all
// shards have reported this one; pools that it does not name keep theirs.
struct ServersOrder {
  std::vector<PoolServers> servers;
  std::optional<PacedPlan> orphans = std::nullopt;  // as in an AdoptOrder
};
// To show that it is alive, by adding one to what outlives all shards: the next one after the last
// was answered, as each is, or was refused.
struct AnswerOrder {
  std::atomic<unsigned>* answers;
};
// These servers have been marked (ServerState::set_draining): they get nothing new, and their
// WebSockets are closed. The next one, or the next ReviewOrder, after all shards have reported this
// one.
struct DrainOrder {
  std::string name;  // of the drain: a later one of this name replaces it
  ServerStates servers;
  PacedPlan websockets;
};
// These connections are looked for, or closed, some in each turn: the next one after all shards have
// reported this one.
struct LookOrder {
  std::shared_ptr<LiveLook> look;
};
// Some servers are not marked any more: whoever waits to be closed for their sake goes on.
struct ReviewOrder {};
using Order = std::variant<AnnounceOrder, StopOrder, CutOrder, AdoptOrder, ServersOrder,
                           AnswerOrder, DrainOrder, ReviewOrder, LookOrder>;
// That wait for one shard: of a DrainOrder and a ReviewOrder there is one at a time.
inline constexpr std::size_t kOrdersMax = 8;

// And a shard the main thread.
struct Report {
  enum class Kind : std::uint8_t {
    kDrained,  // nobody new comes in: once
    kEnded,    // once, and the last
    // What begins from here on begins in the newest generation; the listeners that it does not have
    // may be closed.
    kAdopted,
    kServersTaken,  // a ServersOrder
    kCarriedOut,    // a DrainOrder or a ReviewOrder
    kLooked,        // a LookOrder
  };
  Kind kind;
  UnderWay under_way;
  // WebSockets that are closed from now on: kCarriedOut, for the DrainOrder; kAdopted and
  // kServersTaken, because the generation, or its pool, leaves them out.
  std::size_t closing = 0;
  StopTally stopped;  // kEnded: since the StopOrder
};
inline constexpr std::size_t kReportsMax = 6;  // that wait of one shard: one of a kind

}  // namespace gateway
