// What a shard has under way, and how what was has ended since it began to stop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gateway {

struct UnderWay {
  std::size_t requests = 0;     // whose heads are there, and whose answers are not whole
  std::size_t websockets = 0;   // that are open
  std::size_t connections = 0;  // of clients: those of the others, too

  UnderWay& operator+=(const UnderWay& more) {
    requests += more.requests;
    websockets += more.websockets;
    connections += more.connections;
    return *this;
  }
};

// One number of those: the shard alone writes it, anybody may read it.
class UnderWayCount {
 public:
  void rise() { value_.store(value() + 1, std::memory_order_relaxed); }
  void fall() { value_.store(value() - 1, std::memory_order_relaxed); }
  std::size_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> value_{0};
};

struct UnderWayCounts {
  UnderWayCount requests;
  UnderWayCount websockets;
  UnderWayCount connections;

  UnderWay now() const { return {requests.value(), websockets.value(), connections.value()}; }
};

// One of them, as long as it lives.
class OneUnderWay {
 public:
  explicit OneUnderWay(UnderWayCount& count) : count_(count) { count_.rise(); }
  ~OneUnderWay() { count_.fall(); }
  OneUnderWay(const OneUnderWay&) = delete;
  OneUnderWay& operator=(const OneUnderWay&) = delete;

 private:
  UnderWayCount& count_;
};

struct StopTally {
  std::uint64_t requests = 0;          // finished
  std::uint64_t websockets_by_us = 0;  // closed
  std::uint64_t websockets_by_peers = 0;
  std::uint64_t cut = 0;  // requests and WebSockets, by hard_stop or a second signal

  StopTally& operator+=(const StopTally& more) {
    requests += more.requests;
    websockets_by_us += more.websockets_by_us;
    websockets_by_peers += more.websockets_by_peers;
    cut += more.cut;
    return *this;
  }
};

}  // namespace gateway
