// What the coordinator tells a shard, and what a shard tells the coordinator. Orders go through the
// shard's mailbox; tallies lie in its port until they are collected.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tools/load/engine/tally.hh"
#include "tools/load/plan.hh"
#include "uring/kernel.hh"
#include "uring/mailbox.hh"

namespace load {

struct Order {
  enum class Kind : std::uint8_t { kPhase, kStorm, kEnd };

  Kind kind = Kind::kPhase;
  // kPhase: from now on.
  std::size_t phase = 0;
  Duration ramp{0};             // within which the number of connections changes
  std::size_t connections = 0;  // of this shard, at its end
  bool open_loop = false;
  double per_second = 0;  // of this shard, in an open loop
  bool poisson = false;
  // The rate is that of `peak` connections: fewer have their part of it. What is then due on those
  // that are not open is unsent (owes_closed), or was never due.
  bool by_connection = false;
  bool owes_closed = false;
  std::size_t peak = 0;
  bool sends = true;
  BadNumbers bad{};  // of this shard, at its end
  // kStorm: its number, and how many connections it drops.
  std::size_t storm = 0;
  std::size_t dropped = 0;
  Reconnect reconnect;
  // kEnd: how long answers are awaited, and then how long connections may take to end in order.
  Duration drain{0};
  Duration goodbye{0};
};

class ShardPort {
 public:
  // On the shard's thread, once: it takes orders, or could not start.
  void tell_ready(uring::Mailbox<Order>& orders) {
    const std::lock_guard lock(mutex_);
    orders_ = &orders;
    told_.notify_all();
  }
  void tell_failed(std::string error) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
    told_.notify_all();
  }

  void hand_over(std::unique_ptr<Tally> tally) {
    const std::lock_guard lock(mutex_);
    handed_.push_back(std::move(tally));
  }

  // On the coordinator's: why it could not start, if it could not.
  std::optional<std::string> wait() {
    std::unique_lock lock(mutex_);
    told_.wait(lock, [&] { return orders_ != nullptr || error_; });
    return error_;
  }
  // Orders are few: there is always room.
  void order(const Order& order) {
    CHECK(orders_->post(order), "a shard takes orders until it was told to end");
    ++ordered_;
  }
  // What the gauges say is what has come of all orders.
  bool has_taken_all() const { return taken.load(std::memory_order_acquire) == ordered_; }
  std::vector<std::unique_ptr<Tally>> collect() {
    const std::lock_guard lock(mutex_);
    return std::exchange(handed_, {});
  }

  // Connections, as far as the shard has come.
  std::atomic<std::size_t> open = 0;
  std::atomic<std::size_t> settled = 0;  // first attempts that have opened, failed, or never will
  std::atomic<std::size_t> alive = 0;    // or about to be there
  std::atomic<std::size_t> taken = 0;    // orders
  std::atomic<bool> over = false;
  // By the coordinator, at any time: end without waiting for any peer.
  std::atomic<bool> hurry = false;

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  uring::Mailbox<Order>* orders_ = nullptr;
  std::size_t ordered_ = 0;  // the coordinator's
  std::optional<std::string> error_;
  std::vector<std::unique_ptr<Tally>> handed_;
};

}  // namespace load
