// What a run is to do, whether flags or a scenario file have said so: plain values that are read by
// all shards and changed by none.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/tls/context.hh"
#include "tools/load/bad_kind.hh"
#include "tools/load/duration_range.hh"
#include "tools/load/field_extraction.hh"
#include "tools/load/message_template.hh"
#include "tools/load/reply_id.hh"
#include "tools/load/sent_at.hh"
#include "tools/load/size_distribution.hh"
#include "tools/load/target.hh"

namespace load {

using Duration = std::chrono::nanoseconds;

// How messages come about.
enum class Pattern : std::uint8_t {
  kEcho,       // each message, or request, has an answer
  kRequest,    // the same, in any order: each has its request's id
  kPublish,    // one connection in so many publishes, all of them get each message
  kPush,       // the server sends, and nobody asks
  kHold,       // one message, then nothing
  kHandshake,  // connections are opened and closed, and nothing else
};

// An open loop: messages are due by the clock, whatever comes back.
struct Rate {
  double per_second = 0;        // 0: a closed loop, in which an answer lets the next one go
  bool per_connection = false;  // else in all
  bool poisson = false;         // else at even distances
};

struct PhasePlan {
  std::string name;
  std::optional<Duration> length;  // none: until it is interrupted
  std::size_t connections = 0;     // at its end; from the ones before on in a straight line
  Rate rate;
  BadNumbers bad{};  // beside these connections, once set apart (bad_share.hh)
};

// How long it takes until a connection that has ended is there again.
struct Reconnect {
  bool on = false;
  Duration most{0};  // drawn from 0 to this ("full jitter")
};

struct StormPlan {
  Duration at{0};  // after the first measured phase began
  double share = 0.5;
  Reconnect reconnect;
};

// How long connections live: drawn from an exponential distribution with this mean.
struct Churn {
  double per_second = 0;  // connections begun; 0: no churn
  Duration life{0};       // zero: closed once open
};

struct Message {
  SizeDistribution sizes;
  bool text = false;
  std::optional<MessageTemplate> composed;  // instead of the pattern of these sizes; it is text
};

// A message that opens a conversation, before the load.
struct Step {
  DurationRange wait;                   // before it
  std::optional<MessageTemplate> send;  // none: a message of the server's own is awaited
  bool has_reply = true;                // and the next step waits for it
  std::vector<Extraction> extractions;  // out of the reply
};

struct Request {
  std::string method = "GET";
  std::uint64_t body_bytes = 0;
};

struct Plan {
  std::vector<Target> targets;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string host;         // instead of the targets' own
  std::string server_name;  // likewise, for SNI
  std::vector<std::string> subprotocols;
  bool compress = false;  // permessage-deflate is offered to WebSockets

  std::size_t connections = 10;
  std::size_t in_flight = 1;
  DurationRange think;      // after an answer, before the next one goes
  double connect_rate = 0;  // a second; 0: as fast as they are accepted
  std::size_t threads = 1;
  std::vector<tools::Address> sources;  // addresses that connections come from, in turn

  Pattern pattern = Pattern::kEcho;
  std::vector<Step> steps;          // in order, on each WebSocket
  std::vector<std::string> fields;  // names of what replies to them give
  Message message;
  std::optional<ReplyId> reply_id;  // with kRequest
  std::optional<SentAt> sent_at;    // when what is delivered was sent; with kPublish the mark else
  Request request;
  std::size_t publishers_per_mille = 100;  // with kPublish: at least one
  Churn churn;
  Reconnect reconnect;
  std::vector<StormPlan> storms;
  BadShares bad_shares{};  // of all connections

  Duration warm_up = std::chrono::seconds(1);
  std::vector<PhasePlan> phases;  // after the ramp that opens all connections
  Duration answer_limit = std::chrono::seconds(5);
  Duration open_limit = std::chrono::seconds(10);

  tls::ClientOptions tls;
  double resumed_share = 0;  // of TLS handshakes, once there is a ticket

  std::vector<pid_t> watched;
  std::string command;  // as it was given
};

}  // namespace load
