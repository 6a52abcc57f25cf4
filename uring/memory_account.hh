// How much memory the allocators of all loops hold from the system, free memory that they keep for
// the next one included, and how near that is to what there may be. Whoever takes memory from the
// system or gives it back says so here: seldom, since what is kept is used again.
#pragma once

#include <atomic>
#include <cstddef>
#include <limits>

namespace uring {

class MemoryAccount {
 public:
  // On any thread.
  void add(std::size_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void remove(std::size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // For who knows nothing but a number.
  std::atomic<std::size_t>& counter() { return bytes_; }

  void set_most(std::size_t bytes) { most_.store(bytes, std::memory_order_relaxed); }
  std::size_t most() const { return most_.load(std::memory_order_relaxed); }

  // From four fifths on: whoever can do with less does so.
  bool is_scarce() const { return bytes() >= most() - most() / 5; }
  // From 95 % on: nobody new is let in.
  bool is_spent() const { return bytes() >= most() - most() / 20; }

 private:
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> most_{std::numeric_limits<std::size_t>::max()};
};

}  // namespace uring
