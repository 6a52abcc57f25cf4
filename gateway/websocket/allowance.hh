// How much of what a client sends is within its rates. Of each kind one moment is kept, until which
// what has come so far has used its rate up; it may lie ahead of now by the burst.
#pragma once

#include <array>
#include <cstdint>

#include "gateway/websocket/policy.hh"

namespace gateway {

class Allowance {
 public:
  using Time = uring::Clock::time_point;

  // Each goes on at 0 behind the most.
  struct Use {
    std::uint32_t messages;
    std::uint32_t bytes;
    std::uint32_t control_frames;
  };

  // From here on it counts.
  explicit Allowance(const Use& used) : used_(used) {}
  // Takes what has come; `used` are totals, and have grown by less than 2^32 since the last time.
  // Gives when it may go on: not later than now where all is within the rates.
  Time take(Time now, const Use& used, const ClientRates& rates);
  // What has come so far has used nothing up.
  void forgive() { used_up_until_ = {}; }
  // Which rate was the last one to be passed, for the log.
  std::string_view passed() const;

 private:
  std::array<Time, 3> used_up_until_{};
  Use used_;
  std::uint8_t passed_ = 0;
};

}  // namespace gateway
