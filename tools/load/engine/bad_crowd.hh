// A shard's bad citizens: as many of each kind as the phase wants, beside the connections that
// carry the load. One that has ended comes back after a drawn time, at most a second; one that was
// refused after up to five. How many open at a time is bounded.
#pragma once

#include <memory>
#include <vector>

#include "tools/load/engine/bad_connection.hh"

namespace load {

class BadCrowd final : private BadOwner {
 public:
  using Time = uring::Clock::time_point;

  explicit BadCrowd(Shared& shared);

  // So many are wanted once `ramp` has passed, until then part of the way to there.
  void aim(const BadNumbers& wanted, Duration ramp);
  // Opens and lets go of what is due. To be called many times a second.
  void look();
  // All end now, and none comes back.
  void end();
  bool empty() const { return live_.empty(); }
  // At the end of each turn: those that are over.
  void bury() { dead_.clear(); }

 private:
  struct Absent {
    Time until;
    std::size_t kind;
  };

  std::size_t wanted(std::size_t kind, Time now) const;
  void let_go_of_surplus(std::size_t kind, std::size_t most);
  void open(std::size_t kind);
  ShardTarget& next_target();
  void over(BadConnection& connection) override;

  Shared& shared_;
  BadNumbers before_{};
  BadNumbers wanted_{};
  Time aimed_{};
  Duration ramp_{0};
  bool ended_ = false;
  std::vector<std::unique_ptr<BadConnection>> live_;
  std::vector<std::unique_ptr<BadConnection>> dead_;  // until this turn is over
  std::vector<Absent> absent_;                        // who comes back
  BadNumbers there_{};                                // live or absent, and not let go of
  BadNumbers begun_{};
  std::vector<std::uint64_t> begun_on_;  // each target
};

}  // namespace load
