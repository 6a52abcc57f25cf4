// How many there are of something at the moment, over all shards, and never more than its bound:
// who is let in holds one until it goes. Counts of listeners and routes are known by name, so that
// they outlive a generation of the configuration; one goes when neither a generation nor somebody
// under way has it any more.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace gateway::limits {

class alignas(64) LiveCount {
 public:
  // On any thread. False: there are `most` already; 0: any number.
  bool take(std::uint64_t most) {
    if (most == 0) {
      value_.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
    std::uint64_t now = value_.load(std::memory_order_relaxed);
    while (now < most) {
      if (value_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  // The last that is done with it: it may be gone afterwards.
  void give_back() { value_.fetch_sub(1, std::memory_order_release); }
  std::uint64_t value() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// One of them.
class CountHold {
 public:
  CountHold() = default;
  explicit CountHold(LiveCount& count) : count_(&count) {}  // it was taken
  CountHold(CountHold&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  CountHold& operator=(CountHold&& other) noexcept {
    if (this == &other) return *this;
    reset();
    count_ = std::exchange(other.count_, nullptr);
    return *this;
  }
  ~CountHold() { reset(); }
  void reset() {
    if (LiveCount* const count = std::exchange(count_, nullptr)) count->give_back();
  }

 private:
  LiveCount* count_ = nullptr;
};

class LiveCounts {
 public:
  enum class Of : std::uint8_t { kListener, kRoute };

  // On any thread, where a generation begins. Who has it may take of it; what is taken may stay
  // longer.
  std::shared_ptr<LiveCount> of(Of kind, const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (counts_.size() >= sweep_at_) sweep();
    std::shared_ptr<LiveCount>& count = counts_[{kind, name}];
    if (count == nullptr) count = std::make_shared<LiveCount>();
    return count;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return counts_.size();
  }

 private:
  static constexpr std::size_t kSweepAtMin = 64;

  void sweep() {
    std::erase_if(counts_, [](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->value() == 0;
    });
    sweep_at_ = std::max(kSweepAtMin, 2 * counts_.size());
  }

  std::mutex mutex_;
  std::size_t sweep_at_ = kSweepAtMin;  // so many: those that nobody has any more are looked for
  std::map<std::pair<Of, std::string>, std::shared_ptr<LiveCount>> counts_;
};

}  // namespace gateway::limits
