// The one thing that is kept of a byte stream: a header whose rest has not arrived, or a control
// frame whose rest has not arrived. A data frame's payload is never held, so 139 bytes are enough
// for every stream, also where lax rules let a short length be written long. A header lies in the
// object itself; memory for more is taken with the first control frame that is longer and kept,
// whole or not.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "proto/ws/frame.hh"

namespace ws {

// A frame that is held until it is whole, and not passed on as it comes, by its first byte and its
// header: a control frame, but for one that is longer than any may be, which lax rules let pass.
inline bool is_kept_whole(std::byte first, const HeaderCheck& check) {
  return (first & std::byte{8}) != std::byte{0} && check.payload_bytes <= kControlPayloadBytesMax;
}

class HeldFrame {
 public:
  static constexpr std::size_t kBytesMax = kHeaderBytesMax + kControlPayloadBytesMax;

  bool empty() const { return size_ == 0; }

  // What is held, valid until the next change of this object.
  Bytes bytes() const { return {data(), size_}; }
  MutableBytes bytes() { return {data(), size_}; }

  // Begins with the start of a header or control frame that ends with these bytes, or keeps a whole
  // control frame. Precondition: at most kBytesMax bytes.
  void assign(Bytes bytes);

  // Moves bytes from the front of `received` until a data frame's header, or a whole frame of those
  // that are kept whole, is held (kComplete), a rule is broken (kViolation), or `received` is empty
  // (kIncomplete). Precondition: not complete before.
  HeaderCheck absorb(Bytes& received, const HeaderRules& rules);

  // Forgets what is held; the bytes themselves stay as they are until the next assign, absorb or
  // release.
  void clear() { size_ = 0; }
  // Gives up the memory of a control frame, where nothing is held.
  void release() {
    if (size_ == 0) control_frame_.reset();
  }

 private:
  using ControlFrame = std::array<std::byte, kBytesMax>;

  void append(Bytes bytes);
  std::byte* data() { return control_frame_ ? control_frame_->data() : header_.data(); }
  const std::byte* data() const { return control_frame_ ? control_frame_->data() : header_.data(); }

  std::unique_ptr<ControlFrame> control_frame_;
  std::array<std::byte, kHeaderBytesMax> header_;
  std::uint8_t size_ = 0;
};

}  // namespace ws
