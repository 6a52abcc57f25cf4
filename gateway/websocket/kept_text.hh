// A short text that is kept for long, in a block that is as long as it: a pointer, and nothing
// where the text is empty.
//
//   the pool that the block is of | size of the text | the text
//                               8                  2
//
// A marked block (uring/block_pool.hh) would have six bytes more in front for its alignment, and
// often the next size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "uring/block_pool.hh"

namespace gateway {

class KeptText {
 public:
  static constexpr std::size_t kBytesMax = 0xffff;

  // The pool outlives it. Precondition: no longer than kBytesMax.
  KeptText(uring::BlockPool& pool, std::string_view text);
  ~KeptText();
  KeptText(const KeptText&) = delete;
  KeptText& operator=(const KeptText&) = delete;

  std::string_view text() const;

 private:
  using Size = std::uint16_t;
  static constexpr std::size_t kSizeAt = sizeof(uring::BlockPool*);
  static constexpr std::size_t kTextAt = kSizeAt + sizeof(Size);

  char* block_ = nullptr;
};

}  // namespace gateway
