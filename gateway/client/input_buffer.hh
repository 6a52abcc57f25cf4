// What has been received of a client and belongs to nobody yet: the rest of a request, or the next
// ones. Taken from the front, however many requests lie there, without moving what is behind them.
// Invariant: what was taken lies in front of start_, and never makes up more than half of the text
// when bytes are added.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>

#include "proto/bytes.hh"
#include "uring/check.hh"

namespace gateway {

class InputBuffer {
 public:
  explicit InputBuffer(std::pmr::memory_resource* memory) : text_(memory) {}

  std::string_view text() const { return std::string_view(text_).substr(start_); }
  proto::Bytes bytes() const { return proto::as_bytes(text()); }
  std::size_t size() const { return text_.size() - start_; }
  bool empty() const { return size() == 0; }

  void append(const char* bytes, std::size_t size) {
    if (start_ >= text_.size() / 2) text_.erase(0, std::exchange(start_, 0));
    text_.append(bytes, size);
  }
  void append(proto::Bytes bytes) { append(proto::as_text(bytes).data(), bytes.size()); }

  void take(std::size_t bytes) {
    CHECK(bytes <= size(), "no more is taken than there is");
    start_ += bytes;
  }
  // Nothing is left, and no memory held.
  void reset() {
    text_.clear();
    text_.shrink_to_fit();
    start_ = 0;
  }

 private:
  std::pmr::string text_;
  std::size_t start_ = 0;
};

}  // namespace gateway
