// Reads a handshake message from its front (RFC 8446 section 3). What is not there is zero or
// empty, leaves nothing, and the cursor is broken from then on.
#pragma once

#include <cstddef>

#include "proto/bytes.hh"

namespace tls {

class Cursor {
 public:
  explicit Cursor(proto::Bytes bytes) : rest_(bytes) {}

  // Nothing is left; also when it is broken.
  bool done() const { return rest_.empty(); }
  bool broken() const { return broken_; }
  // Everything was there, and nothing more.
  bool whole() const { return rest_.empty() && !broken_; }

  proto::Bytes rest() const { return rest_; }
  proto::Bytes take(std::size_t size) {
    if (size > rest_.size()) {
      rest_ = {};
      broken_ = true;
      return {};
    }
    const proto::Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::size_t number(std::size_t width) {
    std::size_t value = 0;
    for (const std::byte byte : take(width)) value = value << 8 | static_cast<std::size_t>(byte);
    return value;
  }
  // A vector whose length comes first, in `width` bytes (section 3.4).
  proto::Bytes vector(std::size_t width) { return take(number(width)); }

 private:
  proto::Bytes rest_;
  bool broken_ = false;
};

}  // namespace tls
