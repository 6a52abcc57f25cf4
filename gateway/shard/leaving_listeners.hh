// A shard's listeners on their way out. The main thread lets nobody new into their queues any more;
// the TCP handshakes that have begun may end, whoever waits is let in, and then the sockets may be
// closed.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <span>

#include "gateway/shard/shard_listener.hh"

namespace gateway {

class LeavingListeners {
 public:
  // How long a TCP handshake that has begun may take to its end.
  static constexpr std::chrono::milliseconds kHandshakeTime{100};

  explicit LeavingListeners(uring::Loop& loop);

  // Not before the ones before have gone; gone() is called when these have. At the addresses that
  // are `handed_over` a successor accepts by now, at the same sockets: their queues are left to it.
  void begin(std::list<ShardListener> listeners, std::function<void()> gone,
             std::span<const config::Address> handed_over = {});
  // No handshake is waited for.
  void hurry();
  void take_handed_over();

 private:
  uring::Task<> leave();
  void on_handshakes_over() { handshakes_over_.set(); }

  uring::Loop& loop_;
  std::list<ShardListener> handed_over_;
  std::list<ShardListener> listeners_;
  uring::TimerMember<&LeavingListeners::on_handshakes_over> handshakes_;
  uring::Event handshakes_over_;
  std::function<void()> gone_;
  uring::Task<> leaving_;
};

}  // namespace gateway
