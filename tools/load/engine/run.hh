// A run from its first connection to its last: the shards' threads, the phases that they are led
// through, and the sum of what they hand over. The coordinator works on the caller's thread, which
// waits for signals meanwhile, and looks 50 times a second: it stops nobody.
#pragma once

#include <signal.h>

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tools/load/engine/collector.hh"
#include "tools/load/engine/order.hh"
#include "tools/load/plan.hh"
#include "tools/load/report/live.hh"
#include "tools/load/result.hh"

namespace load {

class Run {
 public:
  using Show = std::function<void(const report::Progress&)>;

  // `signals` are blocked on all threads; any of them ends the run with what it has found so far.
  Run(const Plan& plan, const sigset_t& signals, Show show);
  ~Run();

  // The error says why it could not start, and what helps.
  std::expected<Result, std::string> run();

 private:
  using Time = uring::Clock::time_point;

  std::expected<void, std::string> start_shards();
  void open_all();
  void warm_up();
  void play(std::size_t phase);
  void end();

  void order_phase(std::size_t index, const PhasePlan& phase, bool sends);
  double rate_of(const PhasePlan& phase, std::size_t connections) const;
  void start_storms(Time since);
  // Looks after everything until then; false: it is to end now.
  bool go_on_until(Time deadline);
  bool look();
  void show(std::uint64_t open);
  std::size_t share(std::size_t connections, std::size_t shard) const;
  std::size_t sum_of(std::atomic<std::size_t> ShardPort::*gauge) const;
  bool all_over() const;
  bool has_taken_all() const;

  const Plan& plan_;
  const sigset_t signals_;
  const Show show_;
  std::size_t shards_ = 1;
  Time began_{};
  Duration interval_{};
  std::vector<std::unique_ptr<ShardPort>> ports_;
  std::vector<std::jthread> threads_;
  Collector collector_;
  std::size_t storms_begun_ = 0;
  Time measured_since_{};        // the first phase that is no ramp
  std::size_t connections_ = 0;  // that the newest phase wants at its end
  std::size_t phase_ = 0;
  bool measuring_ = false;
  Time shown_{};
};

// The names of the phases, the ramp that opens the connections included.
std::vector<std::string> phase_names(const Plan& plan);

}  // namespace load
