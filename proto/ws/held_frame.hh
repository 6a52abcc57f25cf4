// The one thing that is kept of a byte stream: a header whose rest has not arrived, or a control
// frame whose rest has not arrived. A data frame's payload is never held, so 131 bytes are enough
// for every stream.
#pragma once

#include <array>
#include <cstdint>

#include "proto/ws/frame.hh"

namespace ws {

class HeldFrame {
 public:
  bool empty() const { return size_ == 0; }

  // What is held, valid until the next change of this object.
  Bytes bytes() const { return Bytes(storage_).first(size_); }
  MutableBytes bytes() { return MutableBytes(storage_).first(size_); }

  // Begins with the start of a header or control frame that ends with these bytes, or keeps a whole
  // control frame. Precondition: at most kControlFrameBytesMax bytes.
  void assign(Bytes bytes);

  // Moves bytes from the front of `received` until a data frame's header, or a whole control frame,
  // is held (kComplete), a rule is broken (kViolation), or `received` is empty (kIncomplete).
  // Precondition: not complete before.
  HeaderCheck absorb(Bytes& received, const HeaderRules& rules);

  // Forgets what is held; the bytes themselves stay as they are until the next assign or absorb.
  void clear() { size_ = 0; }

 private:
  void append(Bytes bytes);

  std::array<std::byte, kControlFrameBytesMax> storage_;
  std::uint8_t size_ = 0;
};

}  // namespace ws
