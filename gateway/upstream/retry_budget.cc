#include "gateway/upstream/retry_budget.hh"

#include <algorithm>

namespace gateway {

void RetryBudget::deposit(const config::RetryBudget& terms) {
  std::int64_t saved = saved_.load(std::memory_order_relaxed);
  while (saved < kSavedMax * kRetry) {
    const std::int64_t more = std::min(saved + std::int64_t{terms.share}, kSavedMax * kRetry);
    if (saved_.compare_exchange_weak(saved, more, std::memory_order_relaxed)) return;
  }
}

bool RetryBudget::withdraw(const config::RetryBudget& terms, uring::Clock::time_point now) {
  if (!terms.is_on) return true;
  if (withdraw_by_time(terms.per_second, now) || withdraw_saved()) return true;
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool RetryBudget::withdraw_by_time(std::size_t per_second, uring::Clock::time_point now) {
  constexpr std::int64_t kSecond =
      std::chrono::duration_cast<uring::Clock::duration>(std::chrono::seconds(1)).count();
  const std::int64_t step = kSecond / static_cast<std::int64_t>(per_second);
  const std::int64_t at = now.time_since_epoch().count();
  std::int64_t paid = paid_until_.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t next = std::max(paid, at) + step;
    if (next > at + kSecond) return false;
    if (paid_until_.compare_exchange_weak(paid, next, std::memory_order_relaxed)) return true;
  }
}

bool RetryBudget::withdraw_saved() {
  std::int64_t saved = saved_.load(std::memory_order_relaxed);
  while (saved >= kRetry) {
    if (saved_.compare_exchange_weak(saved, saved - kRetry, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace gateway
