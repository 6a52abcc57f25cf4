// What all shards know of a pool, in common: who may eject its servers, how many wait for one,
// whose turn among those is the next, the handshakes of WebSockets that are under way, and the
// budget of retries. It is the Registry's, so it survives reloads.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "gateway/upstream/retry_budget.hh"
#include "uring/bell.hh"

namespace gateway {

// For what a server is wanted. Those who wait for it wait apart.
enum class Purpose : std::uint8_t { kRequest, kUpgrade };
inline constexpr std::size_t kPurposes = 2;

// Why somebody waits: each has a bound of its own.
enum class Waiting : std::uint8_t {
  kQueued,  // servers are up, and have as much as they may have
  kHeld,    // none is up
};
inline constexpr std::size_t kWaitings = 2;

class PoolState {
 public:
  using Time = uring::Clock::time_point;

  // Ejecting: so that never more are than may be.
  std::mutex& ejecting() { return ejecting_; }
  RetryBudget& retries() { return retries_; }

  // False: as many as there may be are there already.
  bool enter(Waiting waiting, std::size_t most) { return raise(waiting_[index(waiting)], most); }
  void leave(Waiting waiting) { waiting_[index(waiting)].fetch_sub(1); }
  std::size_t count(Waiting waiting) const { return waiting_[index(waiting)].load(); }

  // A handshake; `most` 0: any number.
  bool begin_upgrade(std::size_t most) { return raise(upgrades_, most == 0 ? kAny : most); }
  void end_upgrade() { upgrades_.fetch_sub(1); }
  std::size_t upgrades() const { return upgrades_.load(); }

  // Somebody waits, on whichever shard: who comes now is behind him.
  bool has_line(Purpose purpose) const { return in_line_[index(purpose)].load() > 0; }
  void join_line(Purpose purpose) { in_line_[index(purpose)].fetch_add(1); }
  void leave_line(Purpose purpose) { in_line_[index(purpose)].fetch_sub(1); }

  // A shard's first in line has waited since then; nothing: nobody waits there. `bell` is rung when
  // it is his turn, until nothing was told.
  void note_head(std::size_t shard, uring::Bell* bell, std::optional<Time> since);
  // Something has become free on that shard. True: its own first is the next, or nobody else is.
  bool is_next(std::size_t shard);

 private:
  struct Head {
    std::size_t shard;
    uring::Bell* bell;
    Time since;
  };
  using Count = std::atomic<std::uint32_t>;
  static constexpr std::size_t kAny = UINT32_MAX;

  template <class Enum>
  static constexpr std::size_t index(Enum value) {
    return static_cast<std::size_t>(value);
  }
  static bool raise(Count& count, std::size_t most);

  std::mutex ejecting_;
  RetryBudget retries_;
  std::array<Count, kWaitings> waiting_{};
  std::array<Count, kPurposes> in_line_{};
  Count upgrades_{0};
  std::mutex heads_mutex_;
  std::vector<Head> heads_;  // of shards on which somebody waits
};

// Somebody counted among those who wait.
class CountedWait {
 public:
  CountedWait(PoolState& state, Waiting waiting, std::size_t most)
      : state_(state), waiting_(waiting), entered_(state.enter(waiting, most)) {}
  ~CountedWait() {
    if (entered_) state_.leave(waiting_);
  }
  CountedWait(const CountedWait&) = delete;
  CountedWait& operator=(const CountedWait&) = delete;

  // False: there were as many as there may be.
  bool entered() const { return entered_; }

 private:
  PoolState& state_;
  Waiting waiting_;
  bool entered_;
};

}  // namespace gateway
