// What the actors of a run share: the plan, the time, the streams that connect them to the gateway,
// and what is known of each request from both of its ends.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/auth_plan.hh"
#include "tests/simulation/balance_plan.hh"
#include "tests/simulation/chronicle.hh"
#include "tests/simulation/kicks.hh"
#include "tests/simulation/message_transcript.hh"
#include "tests/simulation/rebalance_plan.hh"
#include "tests/simulation/scenario.hh"
#include "tests/simulation/seeded_randomness.hh"
#include "tests/simulation/tls_end.hh"
#include "tests/simulation/transcript.hh"
#include "tests/simulation/tunnel_end.hh"
#include "tests/uring/dice.hh"

namespace simulation {

using Stream = std::shared_ptr<SimulatedStream>;
constexpr Time kNever = Time::max();

// Where a client comes from: so the log tells whose connection it means.
constexpr std::uint16_t kFirstPort = 20'000;
constexpr std::uint16_t port_of(unsigned client) {
  return static_cast<std::uint16_t>(kFirstPort + client);
}

// What the gateway's log says of a request.
struct LogLine {
  Time at{};               // when it was read
  bool websocket = false;  // `websocket`, not `request`
  bool tunnel = false;     // likewise
  std::string end;
  std::string by;
  std::string status;
  std::string code;
  std::string answer_bytes;
  std::string upstream;
  bool may_lack_servers = false;  // some are down, when it is told
  std::string client_bytes;       // of a tunnel
  std::string upstream_bytes;
};

// ... and of a connection.
struct LoggedConnection {
  std::uint64_t requests = 0;
  std::optional<unsigned> client;
  bool over = false;      // nothing more is to be told
  bool head_cut = false;  // its last request is told of without a target
  std::string last_status;
};

struct WebSocketTally {
  std::size_t bytes = 0;
  std::size_t messages = 0;
  std::size_t control_frames = 0;
};

// What one end of a WebSocket has done and seen.
struct WebSocketSide {
  Transcript said;               // and not been heard
  MessageTranscript translated;  // likewise, where its frames become other ones
  WebSocketTally tally;          // of all that it has said, answers to the gateway's pings included
  unsigned close_code = 0;       // its own
  std::string told;              // what the gateway has closed it with, code and text
  bool opened = false;           // a client's: it knows of the WebSocket
  WebSocketTally heard;          // of all that it has heard, the gateway's pings included
  std::optional<Time> closed_at;  // its own close frame is out
  bool was_closed = false;        // by either
  unsigned pings = 0;             // of the gateway, to it
  std::optional<Time> died_at;

  bool is_heard() const { return said.is_heard() && translated.is_heard(); }
};

struct WebSocketTrail {
  std::uint64_t generation = 0;  // by which it was opened; 0: it was not
  Time asked_at{};               // ... or anything else
  Time opened_at{};              // when its server said so
  Deflating deflating = Deflating::kNone;
  WebSocketSide client;
  WebSocketSide server;
};

// What became of a request, as its two ends and the gateway's log tell it.
struct Trail {
  std::vector<LogLine> lines;
  // The generation that all shards had adopted when its client began to ask; what it takes is no
  // earlier one.
  std::uint64_t asked_in = 1;
  // What servers did that had got its head.
  unsigned arrivals = 0;
  std::string id;           // that a server got with it
  std::string traceparent;  // likewise
  std::string_view site;    // of the last of them
  bool told_whole = false;
  bool closed = false;
  bool reset = false;
  // How the last connection that was kept behind it was closed, over TLS and with nobody in need.
  std::optional<bool> server_heard_farewell;
  // Of an answer that ends with its connection: that end was told, and nothing is missing.
  bool end_told = false;
  WebSocketTrail websocket;
  TunnelTrail tunnel;
  AuthTrail auth;
};

class HealthWatch;

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
  // Of the gateway's configurations.
  std::uint64_t newest = 1;
  std::uint64_t adopted = 1;         // by all shards
  bool left_behind = false;          // somebody was let in who could not be accepted
  std::map<unsigned, bool> refused;  // clients at the door, and whether that is certain
  std::set<PoolKind> drained;        // a server of it was, if only for a while
  std::set<PoolKind> orphaned;       // ... of it has gone, and its WebSockets were to be closed
  std::size_t lost_handshakes = 0;   // clients over TLS who were let in and have got nothing
  std::set<Stream> unasked;          // to servers over TLS that have been asked nothing yet
  StickyNames sticky_names;
  HealthWatch* health = nullptr;  // the world's
  Rebalances rebalances;
  Kicks kicks;
  bool was_rebalanced(PoolKind pool) const {
    return pool == kRebalanced && !rebalances.all.empty();
  }
  // A server that takes something may nevertheless not have been reached.
  bool may_miss_servers() const {
    return scenario.crowded() || (scenario.faults & (kShortage | kTimeJumps)) != 0;
  }
  std::map<std::pair<unsigned, unsigned>, Trail> trails;
  std::map<std::uint64_t, LoggedConnection> logged;  // by id
  std::set<std::string> ids;                         // of requests
  std::set<std::string> span_ids;
};

}  // namespace simulation
