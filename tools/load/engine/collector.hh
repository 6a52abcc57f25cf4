// Adds up what the shards hand over, into the result: by phase, by interval, and over the run; and
// finds out whether it was the generator that set the figures.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tools/load/engine/tally.hh"
#include "tools/load/plan.hh"

namespace load {

class Collector {
 public:
  // More intervals than this are joined, two and two: a run may take days.
  static constexpr std::size_t kIntervalsMax = 1200;

  Collector(const Plan& plan, std::size_t shards, Duration interval);

  void add(std::size_t shard, const Tally& tally);
  // A phase begins and ends, since the run began.
  void begin_phase(std::size_t phase, Duration time);
  void end_phase(std::size_t phase, Duration time);
  // Their processor time counts from a look that measures until the next one that does not.
  void look_at_watched(bool measuring);

  Result& result() { return result_; }
  // The intervals of so long a time before the newest, at least one, together; RTTs, too.
  Interval recent(Duration time) const;
  // After all was added.
  Result finish();

 private:
  struct ShardUse {
    std::chrono::nanoseconds cpu{0};  // within the measured phases
    std::chrono::nanoseconds wait{0};
    std::chrono::nanoseconds length{0};
    std::chrono::nanoseconds recent_cpu{0};
    std::chrono::nanoseconds recent_length{0};
    std::uint64_t open = 0;
    std::size_t phase = 0;  // the newest
  };

  struct StormSum {
    std::size_t shards = 0;  // that have dropped theirs
    std::uint64_t reopened = 0;
    std::chrono::nanoseconds last{0};
  };

  bool is_drain(const Tally& tally) const { return tally.phase >= result_.phases.size(); }
  bool is_measured(std::size_t phase) const;
  void add_to_phase(const Tally& tally);
  void add_drained(const Tally& tally, std::size_t index);
  void add_storms(const Tally& tally);
  void add_to_interval(const Tally& tally);
  void join_intervals();
  void note_use(std::size_t shard, const Tally& tally);
  void judge_generator();
  void judge_threads();
  void judge_schedule();
  void judge_means();

  const Plan& plan_;
  Duration interval_;
  // By number and phase: a phase's border has one on each side.
  std::map<std::pair<std::size_t, std::size_t>, Interval> intervals_;
  Result result_;
  std::vector<ShardUse> use_;
  std::vector<StormSum> storms_;
  std::map<int, std::uint64_t> lacks_;  // errno
  std::vector<double> cpu_before_;  // of the watched processes, when they were last looked at
  double watched_cpu_ = 0;          // that no interval has yet
  bool measuring_ = false;
};

}  // namespace load
