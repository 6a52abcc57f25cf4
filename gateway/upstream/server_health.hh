// Whether a server may get something new, as far as its health says: what the active checks found,
// what real requests met, and whether it has said that it leaves. One for all shards, which write
// it whenever there is news and read it for each choice; each change is told by whoever made it,
// once for the process.
//
//            fall checks fail                       failures of requests (eject())
//      up -------------------> down           up ---------------------------------> ejected
//        <-------------------                   <-- its trial succeeds ------------ | time is over:
//            rise checks pass                      again, for longer: it fails ---> | one trial
//
// A server that is several of these at once is up when none of them is left.
#pragma once

#include <atomic>
#include <cstdint>

#include "gateway/config/pool_health.hh"
#include "uring/kernel.hh"

namespace gateway {

class ServerHealth {
 public:
  using Time = uring::Clock::time_point;

  // For a choice: it may get a request now. Who is chosen then is to be admitted.
  bool takes(Time now) const {
    const std::uint32_t flags = flags_.load(std::memory_order_relaxed);
    return flags == 0 || may_be_tried(flags, now);
  }
  enum class Admission : std::uint8_t {
    kRefused,
    kUsual,
    kReturned,  // the same, and it was leaving until now
    kTrial,
  };
  // It gets a request: the first one behind an ejection is its trial, and the only one until that
  // has an outcome, or `trial_time` is over.
  Admission admit(Time now, uring::Clock::duration trial_time);
  // The trial that was given until then has had no outcome, and is the next one's, unless that has
  // come already.
  void abandon_trial(Time until);

  bool is_up() const { return flags_.load(kRelaxed) == 0; }
  bool is_down() const { return has(kDown); }
  bool is_merely_ejected() const { return flags_.load(kRelaxed) == kEjected; }
  bool is_ejected() const { return has(kEjected); }
  bool is_leaving() const { return has(kLeaving); }
  // When it became usable again the last time; the clock's beginning: it always was.
  Time came_at() const { return Time(uring::Clock::duration(came_at_.load(kRelaxed))); }
  // "up", or why not: "down", "ejected", "leaving".
  const char* word() const;

  // What a request met. True: it is to be ejected, or again after its trial.
  bool note_failure(const config::Ejection& terms, Time now, bool trial);
  // True: its trial has ended its ejection.
  bool note_success(const config::Ejection& terms, Time now, bool trial);
  // By whoever holds the pool's lock: from now on, and for how long. Nothing where it is already
  // and this is no trial's end.
  uring::Clock::duration eject(const config::Ejection& terms, Time now, bool trial);
  // True: it was ejected.
  bool end_ejection(Time now);

  // It leaves until then; Time::max(): until a check passes. True: that is news.
  bool note_leaving(Time until);

  // The outcome of a check, told by the one shard that checks it.
  enum class Change : std::uint8_t { kNone, kUp, kDown };
  Change note_check(bool passed, const config::HealthCheck& terms, Time now);
  // By whoever holds the pool's lock, where a shard gets the server. True: no shard had it before,
  // and it is to be taken for down until it has been checked.
  bool note_known(bool initially_down);
  // Nobody checks it any more: what only a check could end is over. True: it was down, or leaving.
  bool end_checks(Time now);

  // Counted since it is known.
  std::uint64_t ejections() const { return ejections_.load(kRelaxed); }
  std::uint64_t downs() const { return downs_.load(kRelaxed); }

 private:
  static constexpr std::uint32_t kDown = 1;
  static constexpr std::uint32_t kEjected = 2;
  static constexpr std::uint32_t kLeaving = 4;
  static constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
  using Ticks = std::atomic<std::int64_t>;

  bool has(std::uint32_t flag) const { return (flags_.load(kRelaxed) & flag) != 0; }
  bool may_be_tried(std::uint32_t flags, Time now) const;
  bool set(std::uint32_t flag) { return (flags_.fetch_or(flag) & flag) == 0; }
  bool clear(std::uint32_t flag, Time now);
  bool end_leaving_of_check(Time now);
  bool count_in_window(const config::Ejection& terms, Time now, bool failed);

  std::atomic<std::uint32_t> flags_{0};
  std::atomic<std::uint32_t> in_a_row_{0};  // failures
  // Of the rate: which window, requests, failures.
  std::atomic<std::uint64_t> window_{0};
  Ticks ejected_until_{0};
  Ticks leaving_until_{0};
  Ticks came_at_{0};
  std::atomic<std::uint64_t> ejections_{0};
  std::atomic<std::uint64_t> downs_{0};
  // Under the pool's lock.
  uring::Clock::duration last_ejection_{0};
  bool known_ = false;
  // Of the one shard that checks it.
  std::size_t passes_ = 0;
  std::size_t fails_ = 0;
  std::atomic<bool> checked_{false};
};

}  // namespace gateway
