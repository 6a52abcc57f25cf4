// Follows what closes WebSockets one by one while the gateway goes on: a line of the log every few
// seconds for each, and one when nobody is left. It ends with the last of them, or with stop().
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/log/log.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class ClosingWatch {
 public:
  // How often it looks, and how often it says what it sees.
  static constexpr std::chrono::seconds kLook{1};
  static constexpr std::chrono::seconds kProgress{5};

  struct Left {
    std::size_t websockets = 0;
    std::size_t requests = 0;

    bool is_nothing() const { return websockets + requests == 0; }
  };
  // Nothing: nobody is to be closed any more, whoever is left.
  using Look = std::function<std::optional<Left>()>;

  // `loop` outlives it.
  ClosingWatch(uring::Loop& loop, Log log) : loop_(loop), log_(log), timer_(*this, loop.timers()) {}
  ClosingWatch(const ClosingWatch&) = delete;
  ClosingWatch& operator=(const ClosingWatch&) = delete;

  // From now on, instead of the one of that name. `done`: what the last line says.
  void begin(std::string name, std::chrono::milliseconds over, Look look, std::string_view done);
  // Nothing more is said of it.
  void end(std::string_view name);
  // ... of any, for good.
  void stop();

  // Calls visit(name, Left, the seconds that are left of its time) for each.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Watched& one : watched_) {
      if (const auto left = one.look()) visit(one.name, *left, seconds_left(one));
    }
  }

 private:
  struct Watched {
    std::string name;
    uring::Clock::time_point ends;
    uring::Clock::time_point speaks_at;
    Look look;
    std::string_view done;
  };

  std::uint64_t seconds_left(const Watched& one) const;
  void on_time();
  bool is_over(Watched& one);

  uring::Loop& loop_;
  Log log_;
  std::list<Watched> watched_;
  uring::TimerMember<&ClosingWatch::on_time> timer_;
  bool stopped_ = false;
};

}  // namespace gateway
