// What has gone through a route, a server or a listener: plain integers with one writer, the shard.
// Whoever else reads them gets each as it was a moment ago.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gateway {

class Counter {
 public:
  // On the shard's thread.
  void add(std::uint64_t more = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Traffic {
  Counter requests;                 // that have ended, WebSockets not among them
  std::array<Counter, 6> answered;  // by the status' class; 0: without an answer
  Counter websockets;               // that have ended
  Counter from_client_bytes;        // of bodies to and from servers, and of messages
  Counter to_client_bytes;
};

// The same, of several shards.
struct TrafficTotals {
  std::uint64_t requests = 0;
  std::array<std::uint64_t, 6> answered{};
  std::uint64_t websockets = 0;
  std::uint64_t from_client_bytes = 0;
  std::uint64_t to_client_bytes = 0;

  void add(const Traffic& more) {
    requests += more.requests.value();
    for (std::size_t digit = 0; digit < answered.size(); ++digit) {
      answered[digit] += more.answered[digit].value();
    }
    websockets += more.websockets.value();
    from_client_bytes += more.from_client_bytes.value();
    to_client_bytes += more.to_client_bytes.value();
  }
};

}  // namespace gateway
