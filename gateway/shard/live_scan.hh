// A shard's part of a look at the live table: it walks through the connections, some in each turn,
// so that nobody waits for it, and keeps no more rows than the page has. Rows that come or go
// meanwhile may be there or not; no other one is there twice, or missing.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <unordered_set>

#include "gateway/client/connections.hh"
#include "gateway/shard/live_table.hh"
#include "uring/loop.hh"
#include "uring/ready.hh"

namespace gateway {

class LiveScan {
 public:
  // So many connections are looked at in a turn, at the most.
  static constexpr std::size_t kAtOnce = 256;
  // Streams whose places are remembered.
  static constexpr std::size_t kPlacesMax = 8;

  using Done = std::function<void()>;
  // These are to be closed, all in one order; gives how many are.
  using Kick =
      std::function<std::size_t(const LiveLook::Kick& kick, std::unordered_set<std::uint64_t> ids)>;

  LiveScan(uring::Loop& loop, Connections& connections, unsigned shard)
      : loop_(loop), connections_(connections), shard_(shard) {}
  ~LiveScan() { step_.take_back(); }
  LiveScan(const LiveScan&) = delete;
  LiveScan& operator=(const LiveScan&) = delete;

  bool is_under_way() const { return look_ != nullptr; }
  // One at a time; `done` when the page is whole.
  void begin(std::shared_ptr<LiveLook> look, Kick kick, Done done);
  // Without turns in between: for the end of a shard.
  void finish();

 private:
  void step();
  bool look_at_some();
  void look_at(Connection& connection);
  void keep(LiveRow row);
  void end();
  Connections::Walk beginning();
  void remember_place();
  LivePage& page() { return look_->pages[shard_]; }

  uring::Loop& loop_;
  Connections& connections_;
  const unsigned shard_;
  std::shared_ptr<LiveLook> look_;
  std::optional<Connections::Walk> walk_;
  // Of some streams: where the last look has begun, since of what it has found only a part may have
  // been taken. The one that has waited longest gives way; without one a look begins at the front.
  struct Place {
    std::uint64_t stream;
    Connections::Walk walk;
  };
  std::list<Place> places_;
  bool has_place_ = false;  // the look that is under way, or it wants none
  std::unordered_set<std::uint64_t> kicked_;
  Kick kick_;
  Done done_;
  uring::ReadyMember<&LiveScan::step> step_{*this};
};

}  // namespace gateway
