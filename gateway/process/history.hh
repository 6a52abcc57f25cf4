// The last hour, for charts: a point every few seconds, in a ring that has its size from the start.
// Made of the shards' counters on the main thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "gateway/admin/json.hh"
#include "gateway/process/admin_traffic.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class History {
 public:
  static constexpr std::chrono::seconds kInterval{5};
  static constexpr std::size_t kPointsMax = 720;

  // Both outlive it.
  History(uring::Loop& loop, const Shards& shards)
      : loop_(loop), shards_(shards), timer_(*this, loop.timers()) {}
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  void start();
  void stop() { timer_.disarm(); }
  admin::Json json() const;

  // How things were at the last point but one: one to two intervals ago.
  const Totals& earlier() const { return earlier_; }
  // The greatest share of a shard's time that it was busy between the last two points, 0 to 1.
  double busy() const { return busy_; }

 private:
  struct Point {
    double time = 0;
    std::size_t connections = 0;
    std::size_t websockets = 0;
    // A second.
    double requests = 0;
    double messages_from_client = 0;
    double messages_from_upstream = 0;
    double bytes_from_client = 0;
    double bytes_from_upstream = 0;
    double ended = 0;
    double pushed_back = 0;  // peers, on average
    double busy = 0;
    std::optional<double> request_p50;  // seconds
    std::optional<double> request_p99;
  };

  void on_time();
  void note_busy(double seconds);

  uring::Loop& loop_;
  const Shards& shards_;
  uring::TimerMember<&History::on_time> timer_;
  std::array<Point, kPointsMax> points_;
  std::size_t count_ = 0;  // since the start
  Totals last_;
  Totals earlier_;
  std::vector<double> last_busy_seconds_;
  double busy_ = 0;
  uring::Clock::time_point last_at_;
};

}  // namespace gateway
