// Where memory is counted that a part of proto takes from the system: with its owner, and with
// whoever it is a part of. It is written seldom, since what is kept is used again.
#pragma once

#include <atomic>
#include <cstddef>

namespace proto {

// Both outlive whoever counts; null: nobody asks.
struct MemoryCounter {
  std::atomic<std::size_t>* own = nullptr;
  std::atomic<std::size_t>* whole = nullptr;

  // On any thread. Of less than nothing: as unsigned numbers have it.
  void add(std::size_t bytes) const {
    for (std::atomic<std::size_t>* const one : {own, whole}) {
      if (one != nullptr) one->fetch_add(bytes, std::memory_order_relaxed);
    }
  }
  void remove(std::size_t bytes) const { add(-bytes); }
};

}  // namespace proto
