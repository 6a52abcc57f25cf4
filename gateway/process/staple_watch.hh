// Tells when an OCSP response expires that clients have been shown: they get none from then on, and
// whoever renews it has failed. One line for each file, when its time has come; of one that had
// expired when it was read the configuration has told. On the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/log/log.hh"
#include "uring/loop.hh"
#include "uring/timer.hh"

namespace gateway {

class StapleWatch {
 public:
  // The system's clock may be set meanwhile.
  static constexpr std::chrono::seconds kLookMax{600};

  // `loop` outlives it.
  StapleWatch(uring::Loop& loop, Log log) : loop_(loop), log_(log), timer_(*this, loop.timers()) {}
  StapleWatch(const StapleWatch&) = delete;
  StapleWatch& operator=(const StapleWatch&) = delete;

  // The generation that serves: the same one again changes nothing.
  void follow(const config::Generation& generation);
  void stop();

 private:
  struct Shown {
    std::string path;
    std::int64_t until;  // seconds since 1970
    bool operator==(const Shown&) const = default;
  };

  void look();

  uring::Loop& loop_;
  Log log_;
  std::vector<Shown> shown_;
  uring::TimerMember<&StapleWatch::look> timer_;
  std::uint64_t followed_ = 0;
};

}  // namespace gateway
