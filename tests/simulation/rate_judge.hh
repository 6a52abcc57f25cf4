// Whether a client's WebSocket was slowed down to the rates of its route, as its server sees it:
// what a rate lets pass in a time is the least that it has to take. The time is the run's own, so
// nothing here depends on how fast anything is.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "tests/simulation/policy_plan.hh"
#include "tests/simulation/stage.hh"

namespace simulation {

class RateJudge {
 public:
  // `at_once`: so many bytes may be on their way, and pass, before what is too much is noticed.
  RateJudge(const Rates& rates, Time begun, std::size_t at_once)
      : rates_(rates), begun_(begun), at_once_(at_once) {}

  const Rates& rates() const { return rates_; }

  // So much has come by now, and more by the time before. False: that was too much. What comes last
  // is not judged: whoever is closed, for whatever reason, may end the frame that is under way.
  bool note(const WebSocketTally& heard, Time now) {
    if (heard.bytes == heard_.bytes) return true;
    const bool was_within = points_.empty() || is_within();
    heard_ = heard;
    heard_at_ = now;
    points_.push_back(heard);
    while (points_.size() > 1 && points_[1].bytes + at_once_ <= heard.bytes) points_.pop_front();
    return was_within;
  }

 private:
  bool is_within() const {
    const WebSocketTally& paid = points_.front();
    if (paid.bytes + at_once_ > heard_.bytes) return true;
    return is_within(paid.messages, rates_.messages) && is_within(paid.bytes, rates_.bytes) &&
           is_within(paid.control_frames, rates_.control_frames);
  }
  bool is_within(std::size_t count, std::size_t per_second) const {
    if (per_second == 0) return true;
    const auto worth = std::chrono::nanoseconds(std::chrono::seconds(1)) * count / per_second;
    return heard_at_ + rates_.burst >= begun_ + worth;
  }

  Rates rates_;
  Time begun_;
  std::size_t at_once_;
  std::deque<WebSocketTally> points_;  // the first one is what has been paid for
  WebSocketTally heard_;
  Time heard_at_{};
};

}  // namespace simulation
