// One end of a tunnel, as a simulated peer plays it: it says what its plan has, piece by piece, and
// what it hears is what the other end has said, byte for byte. Whether it has heard all is judged
// at the end that it is shown: behind a stream that ended nothing may be missing, and one that was
// cut does not end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/simulation/payload.hh"
#include "tests/simulation/tunnel_plan.hh"
#include "uring/kernel.hh"

namespace simulation {

using Time = uring::Clock::time_point;

// What one end has done and seen.
struct TunnelSide {
  std::size_t said = 0;
  std::size_t heard = 0;
  bool opened = false;      // a client's: it knows of the tunnel
  bool told_end = false;    // behind all that it has said
  bool breaks_off = false;  // ... or not all, where nothing tells
  bool heard_end = false;   // of the other one's stream, which was not cut
  Time said_at{};           // the last time
};

struct TunnelTrail {
  std::uint64_t generation = 0;  // by which it was opened; 0: it was not
  Time opened_at{};              // when its server said so
  TunnelSide client;
  TunnelSide server;
};

class TunnelEnd {
 public:
  struct Part {
    bool is_client;
    StreamName says;
    StreamName hears;
    TunnelEnding ending;
  };
  enum class Step : std::uint8_t { kNothing, kSays, kHalfCloses, kCloses, kResets };

  // The plan and both sides outlive it.
  TunnelEnd(const Part& part, const TunnelEndPlan& plan, TunnelSide& own, const TunnelSide& other)
      : part_(part), plan_(plan), own_(own), other_(other) {}

  // What it would do now.
  Step next_step(Time now) const;
  // When it will do something, if nothing comes.
  Time acts_at(Time now) const;
  // kSays: what.
  std::string say(Time now);
  void note_half_close() { half_closed_ = true; }

  // False: that is not what is due.
  bool feed(std::string_view bytes);
  // It was shown the end of the other one's stream. Empty, or why that cannot be.
  std::string hear_end();
  bool has_heard_end() const { return own_.heard_end; }
  bool is_through() const { return half_closed_ && own_.heard_end; }

 private:
  bool has_said_all() const { return own_.said >= plan_.bytes; }

  Part part_;
  const TunnelEndPlan& plan_;
  TunnelSide& own_;
  const TunnelSide& other_;
  bool half_closed_ = false;
  Time rests_until_{};
};

}  // namespace simulation
