// Memory of outbound batches, and how much of it one peer may have.
//
// A batch is contiguous and grows through four sizes; it is taken with its first byte and given
// back when it has been sent, so an idle connection holds none. What bounds a slow peer is the
// share: a peer may always have kShareFloor bytes under way, and beyond that a sixteenth of what is
// left of the budget, up to kShareMax. Few slow peers get large batches, many get small ones, and
// all of them together stay under the budget plus one floor each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "uring/count.hh"
#include "uring/memory_account.hh"

namespace uring {

struct Batch {
  std::byte* data = nullptr;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;

  // Within what is reserved.
  std::byte* end() const { return data + size; }
  void grow(std::size_t bytes) { size += static_cast<std::uint32_t>(bytes); }
  void shrink(std::size_t bytes) { size -= static_cast<std::uint32_t>(bytes); }
};

class BatchPool {
 public:
  static constexpr std::size_t kShareFloor = 32 * 1024;
  static constexpr std::size_t kShareMax = 256 * 1024;
  static constexpr std::size_t kBatchMax = 320 * 1024;

  // With an `account`, which outlives it, what it has is counted there; while memory is scarce all
  // peers have the floor only.
  explicit BatchPool(std::size_t budget, MemoryAccount* account = nullptr)
      : budget_(budget), account_(account) {}
  ~BatchPool();
  BatchPool(const BatchPool&) = delete;
  BatchPool& operator=(const BatchPool&) = delete;

  // What is kept for the next one goes back to the system.
  void trim();

  // Makes room for `more` bytes behind batch.size, keeping what is there.
  void reserve(Batch& batch, std::size_t more);
  void give_back(Batch& batch);

  // Bytes that one peer may have reserved now, plaintext and sealing together.
  std::size_t share() const;

  // What a peer has reserved beyond the floor counts against the budget. Replaces what it said
  // before in `committed`.
  void commit(std::uint32_t& committed, std::size_t reserved);

  // For any thread, as is the rest.
  std::size_t in_use() const { return in_use_; }
  // Beyond the floors, of all peers.
  std::size_t committed() const { return committed_; }
  std::size_t budget() const { return budget_; }

 private:
  static constexpr std::array<std::size_t, 4> kSizes = {4 * 1024, 20 * 1024, 80 * 1024, kBatchMax};
  // Free memory kept for the next batch, per size.
  static constexpr std::array<std::size_t, 4> kKept = {256, 64, 16, 4};

  std::byte* take(std::size_t size_index);
  void put_back(std::byte* memory, std::size_t size_index);
  void give_to_system(std::byte* memory, std::size_t size_index);

  const std::size_t budget_;
  MemoryAccount* account_;
  Count committed_;
  Count in_use_;
  std::array<std::vector<std::byte*>, 4> free_;
};

}  // namespace uring
