// How many requests may be sent again, or go to a next server behind one that was silent, so that
// an outage's load is not doubled: so many in a second, and a share of the requests. One of a pool,
// for all shards.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "gateway/config/pool_health.hh"
#include "uring/kernel.hh"

namespace gateway {

class RetryBudget {
 public:
  // What requests have left there is kept up to so many retries.
  static constexpr std::int64_t kSavedMax = 100;

  // A request has come.
  void deposit(const config::RetryBudget& terms);
  // It is to be tried again. False: that is more than there may be.
  bool withdraw(const config::RetryBudget& terms, uring::Clock::time_point now);

  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t kRetry = 100;  // as a request's deposit is in percent of one

  bool withdraw_by_time(std::size_t per_second, uring::Clock::time_point now);
  bool withdraw_saved();

  std::atomic<std::int64_t> saved_{0};
  std::atomic<std::int64_t> paid_until_{0};  // GCRA: when what was taken by time is made up for
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace gateway
