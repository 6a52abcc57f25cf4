// What a route says of an open WebSocket, as its relay goes by it. It may change while that is
// open.
#pragma once

#include <chrono>
#include <cstdint>

#include "gateway/link/detail_text.hh"
#include "gateway/link/end.hh"
#include "gateway/websocket/translation_terms.hh"
#include "proto/ws/close.hh"
#include "uring/kernel.hh"

namespace gateway {

// Pings of our own.
struct HeartbeatPolicy {
  std::chrono::milliseconds ping{0};               // after so long without a byte; zero: none
  std::chrono::milliseconds pong_timeout{10'000};  // then so long for any byte
  bool to_client = true;
  bool to_upstream = false;
};

// What a client may send in a second. Zero: any number.
struct ClientRates {
  using Milliseconds = std::chrono::duration<std::uint32_t, std::milli>;

  std::uint64_t bytes = 0;  // as they come: headers count
  std::uint32_t messages = 0;
  std::uint32_t control_frames = 0;
  Milliseconds burst{1'000};  // what it has not sent for so long it may send at once
  bool closes = false;        // whoever sends more; else he is read more slowly

  bool any() const { return messages > 0 || bytes > 0 || control_frames > 0; }
  bool operator==(const ClientRates&) const = default;
};

// Either peer, when it takes nothing of what waits for it.
struct SlowPolicy {
  std::chrono::milliseconds grace{0};  // for so long; zero: that is its own affair
  std::uint16_t close_code = ws::kCloseTryAgainLater;
};

struct RouteTraffic;

struct RelayPolicy {
  std::chrono::milliseconds idle{0};  // zero: no limit, as of the other ones
  // What the client gets when its server has gone without a close frame; 0: nothing, its connection
  // is cut as the server's was.
  std::uint16_t upstream_lost_code = ws::kCloseInternalError;
  HeartbeatPolicy heartbeat;
  uring::Clock::time_point ends_at = uring::Clock::time_point::max();
  Reason ends_by = Reason::kLifetime;
  std::uint16_t lifetime_code = ws::kCloseGoingAway;  // then
  std::chrono::milliseconds message_time{0};  // of a message, from its first byte to its last
  ClientRates rates;
  SlowPolicy slow;
  // Its owner tells the log of it so often, the first time sooner; zero: never.
  std::chrono::milliseconds report_every{0};
  std::chrono::milliseconds first_report{0};
  // What passes is counted there, while it passes; it stays until the policy is asked for again.
  // Null: nowhere.
  RouteTraffic* traffic = nullptr;
};

// Who knows it.
class RelayOwner {
 public:
  virtual RelayPolicy policy() = 0;
  // It is time, as the policy says.
  virtual void report() = 0;
  // How messages are translated, but for what their frames have to keep to (checks_text); asked
  // where the relay was made with TranslatedRules.
  virtual TranslationTerms translation() = 0;
  // A message goes uncompressed for lack of memory.
  virtual void note_uncompressed() = 0;
  // Keeps the text of an End that is not static for as long as its connection lives; the relay is
  // read until then.
  virtual DetailText& detail() = 0;
  // Told once, perhaps within start(): it has come to its end. It still runs, so it is neither
  // called nor destroyed before the loop's next step.
  virtual void note_finished() = 0;

 protected:
  ~RelayOwner() = default;
};

}  // namespace gateway
