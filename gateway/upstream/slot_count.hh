// How many requests and WebSockets a server has, over all shards: exact, since both counts are one
// word, which changes only while it is below its bounds.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gateway {

class SlotCount {
 public:
  // The bounds are of all, and of the WebSockets among them; 0: any number. False: it is reached.
  bool take(bool websocket, std::size_t most, std::size_t websockets_most) {
    std::uint64_t word = word_.load();
    do {
      if (!fits(word, websocket, most, websockets_most)) return false;
    } while (!word_.compare_exchange_weak(word, word + step(websocket)));
    return true;
  }
  bool has_room(bool websocket, std::size_t most, std::size_t websockets_most) const {
    return fits(word_.load(std::memory_order_relaxed), websocket, most, websockets_most);
  }
  void give_back(bool websocket) { word_.fetch_sub(step(websocket)); }

  std::uint32_t all() const { return static_cast<std::uint32_t>(word_.load()); }
  std::uint32_t websockets() const { return static_cast<std::uint32_t>(word_.load() >> 32); }

 private:
  static constexpr std::uint64_t step(bool websocket) {
    return websocket ? (std::uint64_t{1} << 32) + 1 : 1;
  }
  static constexpr bool fits(std::uint64_t word, bool websocket, std::size_t most,
                             std::size_t websockets_most) {
    if (most != 0 && static_cast<std::uint32_t>(word) >= most) return false;
    return !websocket || websockets_most == 0 || (word >> 32) < websockets_most;
  }

  std::atomic<std::uint64_t> word_{0};
};

}  // namespace gateway
