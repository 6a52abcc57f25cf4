// What the actors of a run share: the plan, the time, the streams that connect them to the gateway,
// and what is known of each request from both of its ends.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "tests/simulation/chronicle.hh"
#include "tests/simulation/scenario.hh"
#include "tests/simulation/seeded_randomness.hh"
#include "tests/simulation/tls_end.hh"
#include "tests/uring/dice.hh"

namespace simulation {

using Time = uring::Clock::time_point;
using Stream = std::shared_ptr<SimulatedStream>;
constexpr Time kNever = Time::max();

// What became of a request, as its two ends and the gateway's log tell it.
struct Trail {
  unsigned arrivals = 0;  // heads of it that a server has read
  unsigned log_lines = 0;
  std::string logged_end;
  std::string logged_by;
  std::string logged_status;
  // Of an answer that ends with its connection: that end was told, and nothing is missing.
  bool end_told = false;
  // Of a WebSocket: the payload that each end had sent when it sent its own close frame.
  std::size_t client_sent = 0;
  std::size_t server_sent = 0;
};

struct Stage {
  Stage(const Scenario& planned, std::FILE* told_to)
      : scenario(planned),
        system(std::make_shared<SimulatedSystem>()),
        chronicle(*system, told_to),
        dice(planned.seed * 31 + planned.salt) {
    seed_randomness(planned.seed * 37 + planned.salt);
    tls.emplace();
  }

  Time now() const { return system->now; }
  Trail& trail(unsigned client, unsigned request) { return trails[{client, request}]; }

  const Scenario& scenario;
  std::shared_ptr<SimulatedSystem> system;
  Chronicle chronicle;
  Dice dice;
  std::optional<TlsShop> tls;
  bool stopping = false;  // the gateway was told to
  bool cut = false;       // ... at once
  std::map<std::pair<unsigned, unsigned>, Trail> trails;
};

}  // namespace simulation
