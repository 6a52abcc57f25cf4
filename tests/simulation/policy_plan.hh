// What a route of a run says of its WebSockets ([route.websocket]), drawn from the seed. Pings and
// limits are short, so that a run sees many of them pass.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/uring/dice.hh"

namespace simulation {

using std::chrono::milliseconds;

enum class Validation : std::uint8_t { kFull, kHeaders, kOff };
enum class PingTo : std::uint8_t { kClient, kUpstream, kBoth };

enum class CompressionPlan : std::uint8_t { kPass, kOff, kTerminate };

// Who has agreed on compression with the client of a WebSocket.
enum class Deflating : std::uint8_t { kNone, kEndToEnd, kAtGateway };

// Zero: none.
struct Rates {
  std::size_t messages = 0;
  std::size_t bytes = 0;
  std::size_t control_frames = 0;
  milliseconds burst{1000};
  bool closes = false;

  bool any() const { return messages > 0 || bytes > 0 || control_frames > 0; }
  bool operator==(const Rates&) const = default;
};

struct PolicyPlan {
  Validation validation = Validation::kFull;
  std::size_t frame_max = 0;  // zero: none, as of all that follow
  std::size_t message_max = 64 * 1024;
  milliseconds ping{0};
  milliseconds pong_timeout{10'000};
  PingTo ping_to = PingTo::kClient;
  milliseconds lifetime{0};
  milliseconds jitter{0};
  unsigned lifetime_code = 1001;
  milliseconds message_time{0};
  Rates rates;
  milliseconds slow_grace{0};
  unsigned slow_code = 1013;
  CompressionPlan compression = CompressionPlan::kPass;
  std::size_t compress_min = 64;
  unsigned compression_level = 1;
  bool keeps_context = false;
  unsigned ratio_max = 200;

  bool pings_client() const { return ping.count() > 0 && ping_to != PingTo::kUpstream; }
  bool pings_upstream() const { return ping.count() > 0 && ping_to != PingTo::kClient; }
  bool pings_as(const PolicyPlan& other) const {
    return ping == other.ping && pong_timeout == other.pong_timeout && ping_to == other.ping_to;
  }
};

// Of all that are drawn: a message of such a size may be compressed.
constexpr std::size_t kCompressMinMost = 1000;

PolicyPlan draw_policy(Dice& dice);
void compress_at_gateway(Dice& dice, PolicyPlan& plan);
// The keys of [route.websocket].
std::string text_of(const PolicyPlan& plan);

}  // namespace simulation
