#include "uring/block_pool.hh"

#include <new>

#include "uring/check.hh"

namespace uring {
namespace {

constexpr std::size_t kMarkBytes = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

}  // namespace

BlockPool::~BlockPool() {
  CHECK(in_use_ == 0, "a block outlived its pool");
  for (std::vector<void*>& blocks : free_) {
    for (void* block : blocks) ::operator delete(block);
  }
}

void* BlockPool::take(std::size_t bytes) {
  ++in_use_;
  if (bytes == 0 || bytes > kBlockMax) return ::operator new(bytes);
  std::vector<void*>& blocks = free_[class_of(bytes)];
  if (blocks.empty()) return ::operator new((class_of(bytes) + 1) * kGranule);
  void* block = blocks.back();
  blocks.pop_back();
  return block;
}

void BlockPool::give_back(void* block, std::size_t bytes) {
  CHECK(in_use_ > 0, "a block is given back once");
  --in_use_;
  if (bytes == 0 || bytes > kBlockMax) return ::operator delete(block);
  std::vector<void*>& blocks = free_[class_of(bytes)];
  if (blocks.size() < kKept) {
    blocks.push_back(block);
  } else {
    ::operator delete(block);
  }
}

void* BlockPool::take_marked(BlockPool* pool, std::size_t bytes) {
  bytes += kMarkBytes;
  void* const block = pool == nullptr ? ::operator new(bytes) : pool->take(bytes);
  *static_cast<BlockPool**>(block) = pool;
  return static_cast<std::byte*>(block) + kMarkBytes;
}

void BlockPool::give_back_marked(void* block, std::size_t bytes) {
  void* const marked = static_cast<std::byte*>(block) - kMarkBytes;
  BlockPool* const pool = *static_cast<BlockPool**>(marked);
  if (pool == nullptr) return ::operator delete(marked);
  pool->give_back(marked, bytes + kMarkBytes);
}

void* BlockPool::do_allocate(std::size_t bytes, std::size_t alignment) {
  CHECK(alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__, "blocks have the usual alignment");
  return take(bytes);
}

void BlockPool::do_deallocate(void* block, std::size_t bytes, std::size_t) {
  give_back(block, bytes);
}

}  // namespace uring
