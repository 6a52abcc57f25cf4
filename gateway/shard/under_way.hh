// What a shard has under way, by plain numbers of its own.
#pragma once

#include <cstddef>

namespace gateway {

struct UnderWay {
  std::size_t requests = 0;
  std::size_t websockets = 0;

  UnderWay& operator+=(const UnderWay& more) {
    requests += more.requests;
    websockets += more.websockets;
    return *this;
  }
};

// One of them, as long as it lives.
class OneUnderWay {
 public:
  explicit OneUnderWay(std::size_t& count) : count_(count) { ++count_; }
  ~OneUnderWay() { --count_; }
  OneUnderWay(const OneUnderWay&) = delete;
  OneUnderWay& operator=(const OneUnderWay&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace gateway
