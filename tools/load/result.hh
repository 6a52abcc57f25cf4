// What a run has found, merged over its shards: plain values, filled by the engine, read by
// reports, gates and comparisons. Times are since the run began, unless they say otherwise.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/load/bad_kind.hh"
#include "tools/load/histogram.hh"

namespace load {

// How long it took: from when to when.
enum class Timing : std::uint8_t {
  kTcp,           // connect, until it is established
  kTls,           // handshake
  kUpgrade,       // request for it, until its 101
  kFirstMessage,  // connect until it is open, and the RTT of its first message
  kRtt,           // a message or request: from when it was due, until its answer is whole, or,
                  // where we have waited in vain, until we gave it up
  kService,       // the same, from when it was sent
  kDelivery,      // fan-out and push: from when it says that it was due or sent, until whole
  kScheduleLag,   // from when it was due, until the generator came to it (not until it was taken)
};
inline constexpr std::size_t kTimings = 8;

// Totals over the whole run or one phase; each sum is of messages or requests, unless it says else.
struct Counts {
  // sent = received + lost + in_flight + unanswered: a run in which that does not hold is in error.
  std::uint64_t sent = 0;
  std::uint64_t received = 0;     // answers, each once
  std::uint64_t lost = 0;         // not answered in time, or before their connection ended in order
  std::uint64_t in_flight = 0;    // at its end; the next phase's `sent` begins with these
  std::uint64_t unanswered = 0;   // their connection was cut
  std::uint64_t late = 0;         // answers to lost ones; where answers carry no number, none
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t unexpected = 0;   // nobody sent these; pushes count as delivered
  std::uint64_t delivered = 0;    // by fan-out or push
  std::uint64_t undelivered = 0;  // pushes that a gap in their numbers shows to be missing
  std::uint64_t unsent = 0;       // were due, and generator or peer did not let them go
  std::uint64_t sent_bytes = 0;   // payload
  std::uint64_t received_bytes = 0;
  // The same as it was on the wire, compressed or not, where permessage-deflate was offered.
  std::uint64_t sent_wire_bytes = 0;
  std::uint64_t received_wire_bytes = 0;
  std::uint64_t connects = 0;     // begun
  std::uint64_t opened = 0;       // of these, with the upgrade if there is one
  std::uint64_t compressed = 0;   // of these, with permessage-deflate agreed on
  std::uint64_t failed = 0;       // of those begun, not opened
  std::uint64_t resumed = 0;      // TLS handshakes
  std::uint64_t full = 0;         // TLS handshakes
  std::uint64_t closed_by_us = 0;
  std::uint64_t lost_idle = 0;    // connections that the peer ended, with nothing of ours under way
  std::uint64_t lost_sending = 0;  // the same, with something
};

// Why messages were unsent. The rest of Counts::unsent had to wait on a connection with as much in
// flight as may be, until the end.
struct Unsent {
  std::uint64_t none_open = 0;  // there was no connection for them
  std::uint64_t bounded = 0;    // connections, under churn: there were as many as may be
  std::uint64_t missed = 0;     // the generator never came to them
};

struct ErrorKind {
  std::uint64_t count = 0;
  std::string example;  // what exactly happened to the first one: address, text
};

// The course of the run, one per second (or a tenth of it in runs below 10 s).
struct Interval {
  std::chrono::nanoseconds begin{0};
  std::chrono::nanoseconds length{0};
  std::size_t phase = 0;  // index
  Counts counts;          // within it
  std::uint64_t open = 0; // connections at its end
  std::uint64_t errors = 0;
  double watched_cpu_seconds = 0;  // of the watched processes together, within it
  Histogram rtt;
};

struct Phase {
  std::string name;  // "ramp", "hold", "soak", "storm", "ramp-down", or what the scenario says
  std::chrono::nanoseconds begin{0};
  std::chrono::nanoseconds length{0};
  double rate_wanted = 0;  // messages a second in all; 0: closed loop
  Counts counts;
  std::array<Histogram, kTimings> timings;  // by Timing
};

// After connections were dropped on purpose.
struct Storm {
  std::chrono::nanoseconds begin{0};
  std::uint64_t dropped = 0;
  std::optional<std::chrono::nanoseconds> recovered;  // after its begin: all are open again
};

// Connections that misbehaved on purpose, and what the target did about them. Nothing of them is in
// any other figure. opened = closes + statuses + cut + ended_by_us + open.
struct BadCitizens {
  std::uint64_t refused = 0;  // attempts that came to nothing
  std::uint64_t opened = 0;   // got as far as to misbehave
  std::map<std::uint16_t, std::uint64_t> closes;  // ended by the peer, with this close code
  std::map<int, std::uint64_t> statuses;          // or with this status of HTTP
  std::uint64_t cut = 0;                          // or with neither
  std::uint64_t ended_by_us = 0;                  // before the run's end
  std::uint64_t open = 0;                         // at the run's end
  std::chrono::nanoseconds open_longest{0};       // of these, for how long
  Histogram until_ended;  // from when they misbehaved, until the peer ended them
};

struct Generator {
  double cpu_seconds = 0;
  double busiest_shard = 0;  // share of one core, 0 to 1, over its worst second
  std::size_t shards = 1;
  // Why the generator, and not the target, set the figures; none: it did not.
  std::vector<std::string> limits;
};

// A process that was watched beside it.
struct Watched {
  std::int64_t pid = 0;
  double cpu_seconds = 0;  // within the measured phases
  std::uint64_t resident_bytes_max = 0;
  std::uint64_t resident_bytes_before = 0;
  bool gone = false;  // it could not be looked at any more: these figures are none
};

// A phase that had an end of its own before, since no connection was left.
struct CutShort {
  std::string phase;
  std::chrono::nanoseconds after{0};
  std::chrono::nanoseconds of{0};
};

struct Result {
  std::string version;            // of gateway-load
  std::string command;            // as it was given
  std::vector<std::string> targets;
  std::int64_t began_unix_ms = 0;
  bool of_deliveries = false;     // rates and costs are of these, and else of answers
  std::uint64_t open = 0;         // connections, at the end of the last measured phase
  std::uint64_t open_max = 0;
  bool compress = false;          // permessage-deflate was offered
  std::vector<Phase> phases;
  std::vector<Interval> intervals;
  std::vector<Storm> storms;
  std::map<BadKind, BadCitizens> bad;  // those kinds that were asked for
  // By code, with 1005 and 1006 as a client sees them.
  std::map<std::uint16_t, std::uint64_t> closes_by_peer;
  std::map<std::uint16_t, std::uint64_t> closes_by_us;
  std::map<int, std::uint64_t> statuses;    // of HTTP answers, refused upgrades included
  std::map<std::string, ErrorKind> errors;  // bounded by the engine
  Unsent unsent;
  Generator generator;
  std::vector<Watched> watched;
  std::optional<CutShort> cut_short;
  bool interrupted = false;
  bool target_unreachable = false;  // nothing was ever opened
  // What --find has found: the highest rate within the objective; 0: not even the lowest.
  std::optional<double> found_rate;
};

void add(Counts& to, const Counts& more);
void add(BadCitizens& to, const BadCitizens& more);
// Of these, how many the peer has ended.
std::uint64_t ended_by_peer(const BadCitizens& bad);
// sent = received + lost + in_flight + unanswered
bool adds_up(const Counts& counts);

// Those phases that count: all but ramps. What one leaves in flight to the next one is in it once.
Counts total(const Result& result);

// What rates and costs are of: answers, or where nobody answers deliveries.
std::uint64_t answers_or_deliveries(const Result& result, const Counts& counts);

// Of what was due in these, 0 to 1. A run with more than the bound did not do what it was told to.
double unsent_share(const Result& result);
inline constexpr double kUnsentShareMax = 0.01;

}  // namespace load
