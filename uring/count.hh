// A number that one thread writes, and any may read as it was a moment ago. To write it costs what
// a plain integer does: no other writer is reckoned with.
#pragma once

#include <atomic>
#include <cstdint>

namespace uring {

class Count {
 public:
  Count() = default;
  Count(const Count&) = delete;
  Count& operator=(const Count&) = delete;

  // On the writer's thread.
  void add(std::uint64_t more = 1) { set(value() + more); }
  void take(std::uint64_t less = 1) { set(value() - less); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  Count& operator+=(std::uint64_t more) {
    add(more);
    return *this;
  }
  Count& operator-=(std::uint64_t less) {
    take(less);
    return *this;
  }
  Count& operator++() { return *this += 1; }
  Count& operator--() { return *this -= 1; }

  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  operator std::uint64_t() const { return value(); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace uring
