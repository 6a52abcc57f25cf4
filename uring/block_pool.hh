// Memory for what comes and goes with every request: coroutine frames, exchanges, log texts. Blocks
// of one size class are used again and again, so that a steady state allocates nothing. For one
// thread; all blocks are back before the pool goes.
//
// Size classes end where the allocator's chunks do: 8 bytes below a multiple of 16.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <new>
#include <utility>

#include "uring/memory_account.hh"
#include "uring/poison.hh"

namespace uring {

class BlockPool final : public std::pmr::memory_resource {
 public:
  BlockPool() = default;
  ~BlockPool() override;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Before the first block: what it has is counted there. The account outlives it.
  void count_in(MemoryAccount& account) { account_ = &account; }

  // What is kept for the next one goes back to the system.
  void trim();

  // Aligned like operator new's. Larger blocks than kBlockMax come from there, too.
  void* take(std::size_t bytes) {
    ++in_use_;
    if (bytes == 0 || bytes > kBlockMax) return take_from_system(bytes);
    const std::size_t size_class = class_of(bytes);
    Free* const block = free_[size_class];
    if (block == nullptr) return take_from_system(bytes_of(size_class));
    free_[size_class] = block->next;
    free_bytes_ -= bytes_of(size_class);
    return block;
  }
  void give_back(void* block, std::size_t bytes);

  // An object in a block: the pointer destroys it and gives the block back to its frames().
  template <class T>
  struct Delete {
    void operator()(T* object) const {
      BlockPool& pool = object->frames();
      object->~T();
      pool.give_back(object, sizeof(T));
    }
  };
  template <class T>
  using Owned = std::unique_ptr<T, Delete<T>>;

  template <class T, class... Args>
  Owned<T> make(Args&&... args) {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    return Owned<T>(new (take(sizeof(T))) T(std::forward<Args>(args)...));
  }

  // A block that remembers where it came from, for who gives it back without knowing the pool. A
  // null pool stands for operator new.
  static void* take_marked(BlockPool* pool, std::size_t bytes) {
    bytes += kMarkBytes;
    void* const block = pool == nullptr ? ::operator new(bytes) : pool->take(bytes);
    *static_cast<BlockPool**>(block) = pool;
    return static_cast<std::byte*>(block) + kMarkBytes;
  }
  static void give_back_marked(void* block, std::size_t bytes);

  std::size_t in_use() const { return in_use_; }

 private:
  // What lies in a block while nobody has it.
  struct Free {
    Free* next;
  };

  static constexpr std::size_t kMarkBytes = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  static constexpr std::size_t kGranule = 16;
  static constexpr std::size_t kChunkHeader = 8;
  static constexpr std::size_t kBlockMax = 8192;
  // Free memory that is kept: what some hundreds of requests at a time need. With AddressSanitizer
  // none, which is to see what is used too late.
#ifdef URING_POISONS
  static constexpr std::size_t kKeptBytes = 0;
#else
  static constexpr std::size_t kKeptBytes = 8 * 1024 * 1024;
#endif

  static std::size_t class_of(std::size_t bytes) {
    return (bytes + kChunkHeader - 1) / kGranule;
  }
  static std::size_t bytes_of(std::size_t size_class) {
    return (size_class + 1) * kGranule - kChunkHeader;
  }
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  void* take_from_system(std::size_t bytes);
  void give_to_system(void* block, std::size_t bytes);

  MemoryAccount* account_ = nullptr;
  std::size_t in_use_ = 0;
  std::size_t free_bytes_ = 0;
  std::array<Free*, kBlockMax / kGranule + 1> free_{};  // by size class, the last given back first
};

}  // namespace uring
