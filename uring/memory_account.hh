// How much memory the allocators of all loops hold from the system, free memory that they keep for
// the next one included, and how near that is to what there may be. Whoever takes memory from the
// system or gives it back says so here: seldom, since what is kept is used again.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace uring {

// What it is taken for.
enum class MemoryKind : std::uint8_t {
  kReceive,      // buffers that the kernel receives into, and plaintext
  kBlocks,       // connections, requests, WebSockets: what lives in blocks
  kBatches,      // outbound
  kTls,          // sessions and their records
  kCompression,  // codecs of WebSockets
};
inline constexpr std::array<std::string_view, 5> kMemoryKindNames = {"receive", "blocks", "batches",
                                                                     "tls", "compression"};
inline constexpr std::size_t kMemoryKinds = kMemoryKindNames.size();

class MemoryAccount {
 public:
  MemoryAccount() = default;
  // A part of it, as a shard's is: what is counted here counts there, too, and there is said how
  // much there may be. The whole outlives it.
  explicit MemoryAccount(MemoryAccount& whole) : whole_(&whole) {}

  // On any thread.
  void add(std::size_t bytes, MemoryKind kind) {
    counter(kind).fetch_add(bytes, std::memory_order_relaxed);
    if (whole_ != nullptr) whole_->add(bytes, kind);
  }
  void remove(std::size_t bytes, MemoryKind kind) {
    counter(kind).fetch_sub(bytes, std::memory_order_relaxed);
    if (whole_ != nullptr) whole_->remove(bytes, kind);
  }
  std::size_t bytes() const {
    std::size_t all = 0;
    for (const auto& one : bytes_) all += one.load(std::memory_order_relaxed);
    return all;
  }
  std::size_t bytes(MemoryKind kind) const {
    return bytes_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
  }
  // For who knows nothing but numbers, and counts in the whole's, too.
  std::atomic<std::size_t>& counter(MemoryKind kind) {
    return bytes_[static_cast<std::size_t>(kind)];
  }

  // Of the whole.
  void set_most(std::size_t bytes) { most_.store(bytes, std::memory_order_relaxed); }
  std::size_t most() const { return all().most_.load(std::memory_order_relaxed); }

  // From four fifths on: whoever can do with less does so.
  bool is_scarce() const { return all().bytes() >= most() - most() / 5; }
  // From 95 % on: nobody new is let in.
  bool is_spent() const { return all().bytes() >= most() - most() / 20; }

 private:
  const MemoryAccount& all() const { return whole_ != nullptr ? *whole_ : *this; }

  MemoryAccount* const whole_ = nullptr;
  std::array<std::atomic<std::size_t>, kMemoryKinds> bytes_{};
  std::atomic<std::size_t> most_{std::numeric_limits<std::size_t>::max()};
};

}  // namespace uring
