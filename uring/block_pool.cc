#include "uring/block_pool.hh"

#include "uring/check.hh"

namespace uring {

BlockPool::~BlockPool() {
  CHECK(in_use_ == 0, "a block outlived its pool");
  trim();
}

void BlockPool::trim() {
  for (std::size_t size_class = 0; size_class < free_.size(); ++size_class) {
    while (Free* const block = free_[size_class]) {
      free_[size_class] = block->next;
      give_to_system(block, bytes_of(size_class));
    }
  }
  free_bytes_ = 0;
}

void* BlockPool::take_from_system(std::size_t bytes) {
  if (account_ != nullptr) account_->add(bytes, MemoryKind::kBlocks);
  return ::operator new(bytes);
}

void BlockPool::give_to_system(void* block, std::size_t bytes) {
  if (account_ != nullptr) account_->remove(bytes, MemoryKind::kBlocks);
  ::operator delete(block);
}

void BlockPool::give_back(void* block, std::size_t bytes) {
  CHECK(in_use_ > 0, "a block is given back once");
  --in_use_;
  if (bytes == 0 || bytes > kBlockMax) return give_to_system(block, bytes);
  const std::size_t size_class = class_of(bytes);
  const bool is_scarce = account_ != nullptr && account_->is_scarce();
  if (is_scarce || free_bytes_ + bytes_of(size_class) > kKeptBytes)
    return give_to_system(block, bytes_of(size_class));
  free_bytes_ += bytes_of(size_class);
  free_[size_class] = new (block) Free{free_[size_class]};
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
