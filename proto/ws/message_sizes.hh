// How large messages were: payload bytes as their frames declare them, each message once, when its
// last header is there. One thread counts, any may read each number as it was a moment ago.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ws {

class MessageSizes {
 public:
  // The last one is of all that are larger.
  static constexpr std::size_t kClasses = 12;
  // The most that a message of a class has, the last class excepted: 64, 256, 1024 ...
  static constexpr std::uint64_t bytes_max(std::size_t size_class) {
    return std::uint64_t{64} << (2 * size_class);
  }
  static constexpr std::size_t class_of(std::uint64_t bytes) {
    if (bytes <= bytes_max(0)) return 0;
    const auto bits = static_cast<std::size_t>(std::bit_width(bytes - 1));
    return bits > 26 ? kClasses - 1 : (bits - 5) / 2;
  }

  void note(std::uint64_t bytes) { add(counts_[class_of(bytes)], 1); }
  std::uint64_t count(std::size_t size_class) const {
    return counts_[size_class].load(std::memory_order_relaxed);
  }

 private:
  using Number = std::atomic<std::uint64_t>;

  static void add(Number& number, std::uint64_t more) {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  std::array<Number, kClasses> counts_{};
};

}  // namespace ws
