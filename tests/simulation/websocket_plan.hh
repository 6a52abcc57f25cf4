// What the two ends of a simulated WebSocket say and do, drawn from the seed.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/simulation/breach.hh"
#include "tests/simulation/peer_deflate.hh"
#include "tests/uring/dice.hh"

namespace simulation {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// What ends it, behind all messages.
enum class Closer : std::uint8_t {
  kClient,
  kServer,
  kBoth,
  kNobody,
  kClientLeaves,
  kServerLeaves,
  kClientBreaks,  // a rule
  kServerBreaks,
  kClientHalfCloses,
  kClientStalls,  // in the middle of a message
  kServerStalls,
  kClientDies,  // it neither reads nor says anything more
  kServerDies,
};
constexpr std::size_t kClosers = 13;

constexpr bool breaks(Closer closer) {
  return closer == Closer::kClientBreaks || closer == Closer::kServerBreaks;
}
constexpr bool stalls(Closer closer) {
  return closer == Closer::kClientStalls || closer == Closer::kServerStalls;
}
constexpr bool dies(Closer closer) {
  return closer == Closer::kClientDies || closer == Closer::kServerDies;
}

// How long a dead end is there, before its machine resets the connection: longer than an idle
// WebSocket may live.
constexpr milliseconds kDeadTime{12'000};

// Noise but for the last one, which becomes much smaller when it is compressed.
enum class MessageKind : std::uint8_t { kBinary, kText, kCompressed, kProse };
constexpr std::size_t kMessageKinds = 4;

struct MessagePlan {
  std::size_t bytes = 0;
  MessageKind kind = MessageKind::kBinary;
  std::size_t fragments = 1;
  std::size_t control_frames = 0;  // ahead of each of its frames
  bool deflated = false;           // by a client whose compression ends at the gateway
};

enum class Pongs : std::uint8_t { kPrompt, kLate, kNone };

struct EndPlan {
  std::vector<MessagePlan> messages;
  microseconds rhythm{0};  // between two messages
  Pongs pongs = Pongs::kPrompt;
  milliseconds late_by{0};
  BreachPlan breach;  // where it breaks a rule
  // Before it leaves, stalls or dies it says so much of a frame.
  std::size_t unfinished_bytes = 0;
  unsigned close_code = 1000;  // 0: none
  std::size_t close_text_bytes = 9;

  bool answers_within(milliseconds time) const {
    return pongs == Pongs::kPrompt || (pongs == Pongs::kLate && late_by < time);
  }
};

// A client's offer of compression, with what a server answers that agrees to it.
struct DeflateOffer {
  std::string_view text;
  std::string_view answer;
  DeflateTerms most;  // that it may be answered
};
inline constexpr std::array<DeflateOffer, 4> kDeflateOffers = {
    {{"permessage-deflate", "permessage-deflate", {}},
     {"permessage-deflate; client_max_window_bits", "permessage-deflate", {}},
     {"permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
      "permessage-deflate; server_max_window_bits=10",
      {.server_bits = 10, .client_bits = 9}},
     {"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "permessage-deflate; server_no_context_takeover",
      {.server_keeps_context = false, .client_keeps_context = false}}}};

struct WebSocketPlan {
  EndPlan client;
  EndPlan server;
  Closer closer = Closer::kClient;
  microseconds stays{0};        // before an end says its last message
  bool badly_answered = false;  // a wild server's 101 is one that no client may take
  bool offers_deflate = false;
  std::size_t deflate_offer = 0;  // which one
  bool agrees_to_deflate = false;
};

constexpr const DeflateOffer& offer_of(const WebSocketPlan& plan) {
  return kDeflateOffers[plan.deflate_offer];
}

// `of_wild`: the server may do more than keep to its plan.
WebSocketPlan draw_websocket(Dice& dice, bool of_wild);

}  // namespace simulation
