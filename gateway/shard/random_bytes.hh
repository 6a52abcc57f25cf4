// Random bytes for names that must be unique, not secret: requests' ids. They come from the kernel,
// some hundred bytes at a time, so that few of them cost a system call. For one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "uring/kernel.hh"

namespace gateway {

class RandomBytes {
 public:
  explicit RandomBytes(uring::Kernel& kernel) : kernel_(kernel) {}

  // No more than kBytes at once.
  void fill(std::span<std::byte> to) {
    if (kBytes - used_ < to.size()) {
      kernel_.fill_random(bytes_);
      used_ = 0;
    }
    std::memcpy(to.data(), bytes_.data() + used_, to.size());
    used_ += to.size();
  }

 private:
  static constexpr std::size_t kBytes = 256;  // what the kernel gives at once

  uring::Kernel& kernel_;
  std::array<std::byte, kBytes> bytes_;
  std::size_t used_ = kBytes;
};

}  // namespace gateway
