#include "gateway/client/input_buffer.hh"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "uring/check.hh"

namespace gateway {

void InputBuffer::append(const char* bytes, std::size_t size) {
  if (size == 0) return;
  if (block_ != nullptr && block_->start >= block_->end / 2) {
    const std::size_t left = this->size();
    std::memmove(block_->bytes(), block_->bytes() + block_->start, left);
    block_->start = 0;
    block_->end = left;
  }
  if (block_ == nullptr || block_->capacity - block_->end < size) make_room(size);
  std::memcpy(block_->bytes() + block_->end, bytes, size);
  block_->end += size;
}

// At the end: at first as much as that, then twice as much as there is at the least.
void InputBuffer::make_room(std::size_t size) {
  const std::string_view left = text();
  const std::size_t capacity = std::max(left.size() + size, 2 * left.size());
  void* const memory = memory_->allocate(sizeof(Block) + capacity, alignof(Block));
  Block* const block = new (memory) Block{.capacity = capacity, .end = left.size()};
  std::copy(left.begin(), left.end(), block->bytes());
  reset();
  block_ = block;
}

void InputBuffer::take(std::size_t bytes) {
  const std::size_t left = size();
  CHECK(bytes <= left, "no more is taken than there is");
  if (bytes == left) return reset();
  block_->start += bytes;
}

void InputBuffer::reset() {
  Block* const block = std::exchange(block_, nullptr);
  if (block == nullptr) return;
  memory_->deallocate(block, sizeof(Block) + block->capacity, alignof(Block));
}

}  // namespace gateway
