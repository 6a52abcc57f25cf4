// A queue of small values that holds no memory until it has had something, and none for long: a
// ring that doubles. Most connections have one or two, and most of them are empty.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "uring/check.hh"

namespace load {

template <class Value>
class Fifo {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Precondition: index < size().
  Value& operator[](std::size_t index) { return ring_[(first_ + index) & (room_ - 1)]; }
  const Value& operator[](std::size_t index) const { return ring_[(first_ + index) & (room_ - 1)]; }

  void push(const Value& value) {
    if (size_ == room_) grow();
    ++size_;
    (*this)[size_ - 1] = value;
  }

  Value pop() {
    CHECK(size_ > 0, "nothing is taken out of an empty queue");
    const Value value = ring_[first_];
    first_ = (first_ + 1) & (room_ - 1);
    --size_;
    return value;
  }

  void clear() {
    ring_.reset();
    first_ = size_ = room_ = 0;
  }

 private:
  static constexpr std::uint32_t kFirstRoom = 2;

  void grow() {
    const std::uint32_t room = room_ == 0 ? kFirstRoom : room_ * 2;
    auto ring = std::make_unique<Value[]>(room);
    for (std::uint32_t i = 0; i < size_; ++i) ring[i] = (*this)[i];
    ring_ = std::move(ring);
    room_ = room;
    first_ = 0;
  }

  std::unique_ptr<Value[]> ring_;
  std::uint32_t first_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t room_ = 0;  // a power of two
};

}  // namespace load
