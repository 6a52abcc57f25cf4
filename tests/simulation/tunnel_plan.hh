// What the two ends of a simulated tunnel say, and what ends it: an upgrade to a protocol that is
// no WebSocket, as `upgrades` of a route lets it pass. Drawn from the seed.
#pragma once

#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/uring/dice.hh"

namespace simulation {

using std::chrono::microseconds;

// What `upgrades` lists where it lists anything.
inline constexpr std::string_view kTunnelProtocol = "tcp";

// Who closes its stream when it has said all; whoever has heard that does the same.
enum class TunnelEnding : std::uint8_t {
  kClientFirst,
  kServerFirst,
  kBoth,
  kNobody,
  kClientResets,
  kServerResets,
  kClientCloses,  // both directions
  kServerCloses,
};
constexpr std::size_t kTunnelEndings = 8;

struct TunnelEndPlan {
  std::size_t bytes = 0;
  std::size_t piece = 1000;  // at once
  microseconds rhythm{0};    // between two of them
};

struct TunnelPlan {
  std::string_view protocol = kTunnelProtocol;  // that the client asks for
  bool is_listed = true;                        // ... where the route lists any
  bool declined = false;                        // its server answers as it would any request
  std::size_t early_bytes = 0;                  // said behind the request, before its answer
  TunnelEndPlan client;
  TunnelEndPlan server;
  TunnelEnding ending = TunnelEnding::kClientFirst;
};

TunnelPlan draw_tunnel(Dice& dice);

}  // namespace simulation
