// How much of each processor shards have used of late, from the processor time that their threads
// have had by now. It is looked at whenever somebody asks for metrics: the share is that of the
// time since the last look but one, and of a few seconds at least.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "uring/kernel.hh"

namespace gateway {

class Utilisation {
 public:
  // So long at least: who asks more often gets the same again.
  static constexpr std::chrono::seconds kWindow{5};

  // `busy_seconds` of each shard since it began; the first look is of all that time. Gives shares
  // from 0 to 1.
  const std::vector<double>& look(uring::Clock::time_point now,
                                  const std::vector<double>& busy_seconds) {
    const double passed = std::chrono::duration<double>(now - since_).count();
    if (shares_.size() == busy_seconds.size() && now - since_ < kWindow) return shares_;
    busy_before_.resize(busy_seconds.size());
    shares_.resize(busy_seconds.size());
    for (std::size_t index = 0; index < busy_seconds.size(); ++index) {
      const double busy = busy_seconds[index] - busy_before_[index];
      shares_[index] = passed > 0 ? std::clamp(busy / passed, 0.0, 1.0) : 0.0;
    }
    busy_before_ = busy_seconds;
    since_ = now;
    return shares_;
  }
  // Before the first look.
  void begin(uring::Clock::time_point now) { since_ = now; }

 private:
  uring::Clock::time_point since_;
  std::vector<double> busy_before_;
  std::vector<double> shares_;
};

}  // namespace gateway
