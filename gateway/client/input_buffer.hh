// What has been received of a client and belongs to nobody yet: the rest of a request, or the next
// ones. Taken from the front, however many requests lie there, without moving what is behind them.
// One block of memory while there is something, and none while there is nothing.
// Invariant: what was taken lies in front of the block's start, and never makes up more than half
// of the text when bytes are added.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <string_view>

#include "proto/bytes.hh"

namespace gateway {

class InputBuffer {
 public:
  // `memory` outlives it.
  explicit InputBuffer(std::pmr::memory_resource* memory) : memory_(memory) {}
  ~InputBuffer() { reset(); }
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  // Valid until bytes are added, or the last ones taken.
  std::string_view text() const {
    if (block_ == nullptr) return {};
    return {block_->bytes() + block_->start, block_->end - block_->start};
  }
  proto::Bytes bytes() const { return proto::as_bytes(text()); }
  std::size_t size() const { return text().size(); }
  bool empty() const { return block_ == nullptr; }

  void append(const char* bytes, std::size_t size);
  void append(proto::Bytes bytes) { append(proto::as_text(bytes).data(), bytes.size()); }

  void take(std::size_t bytes);
  // Nothing is left.
  void reset();

 private:
  // In front of the bytes.
  struct Block {
    std::size_t capacity;
    std::size_t start = 0;
    std::size_t end = 0;

    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  void make_room(std::size_t size);

  std::pmr::memory_resource* memory_;
  Block* block_ = nullptr;  // null: it is empty
};

}  // namespace gateway
