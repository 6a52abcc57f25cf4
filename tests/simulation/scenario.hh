// What a run is made of, drawn from its seed: the gateway's shape, what goes wrong under it, and
// what each client asks and does. A client's part is drawn from the seed and its number alone, so
// that a failing run can be repeated without the others.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/drains.hh"
#include "tests/simulation/look_plan.hh"
#include "tests/simulation/tunnel_plan.hh"
#include "tests/simulation/websocket_plan.hh"
#include "tests/uring/dice.hh"
#include "tests/uring/simulator.hh"
#include "uring/receive_buffers.hh"

namespace simulation {

// How long the gateway lets peers take in all runs: short, so that a run sees many of them pass.
struct Limits {
  static constexpr milliseconds kTlsHandshake{2000};
  static constexpr milliseconds kRequestHeader{2000};
  static constexpr milliseconds kBodyIdle{2000};
  static constexpr milliseconds kKeepAlive{5000};
  static constexpr milliseconds kConnect{1000};
  static constexpr milliseconds kResponse{2000};
  static constexpr milliseconds kResponseIdle{3000};
  static constexpr milliseconds kWebSocketIdle{5000};
  static constexpr milliseconds kPoolIdle{3000};
  // Beyond all of them, one after the other: a peer that still waits then waits for ever.
  static constexpr milliseconds kPatience{20'000};
  // Whoever keeps this far away from a limit does not meet it, whatever the kernel is late with.
  static constexpr milliseconds kMargin{500};
};

// Besides those of the kernel.
constexpr unsigned kTimeJumps = 1u << 16;   // now and then nobody runs for a while
constexpr unsigned kCoarseTime = 1u << 17;  // much happens at once: turns that take long

// Servers that do what they say; that close connections whenever they are idle, and of which some
// cannot be reached; and that do what they please. The last two are the first and the third kind
// over TLS.
enum class PoolKind : std::uint8_t { kApp, kClosing, kWild, kSecure, kSecureWild };
constexpr unsigned kPoolKinds = 5;
std::string_view name_of(PoolKind pool);
std::string_view host_of(PoolKind pool);
std::string route_of(PoolKind pool);  // its name
constexpr bool is_wild(PoolKind pool) {
  return pool == PoolKind::kWild || pool == PoolKind::kSecureWild;
}
constexpr bool is_secure(PoolKind pool) {
  return pool == PoolKind::kSecure || pool == PoolKind::kSecureWild;
}

enum class Framing : std::uint8_t { kLength, kChunked, kUntilClose };

// What a server does with a request.
enum class Deed : std::uint8_t {
  kAnswers,
  kAnswersEarly,  // before it has read the request's body, which it reads to its end
  kCutsHead,      // closes in the middle of its head, or before it
  kCutsBody,      // ... of its body
  kResetsBody,
  kStalls,   // says nothing more, from somewhere in its answer on
  kGarbage,  // no HTTP
  kSurplus,  // more than its answer
};
std::string_view name_of(Deed deed);

// What a peer does to a TLS session of its own.
enum class TlsFault : std::uint8_t {
  kNone,
  kNoCloseNotify,  // ends its stream without one
  kCorrupts,       // one bit of what it sends
  kAlerts,         // takes what it gets for broken, and says so
  kStalls,         // sends nothing more, from somewhere on
};
constexpr std::size_t kTlsFaults = 5;

struct TlsPlan {
  bool is_1_2 = false;   // of a client
  bool resumes = false;  // likewise, where there is a ticket
  TlsFault fault = TlsFault::kNone;
  std::size_t fault_at = 0;  // bytes of what is sealed, or opened
  bool rekeys = false;       // before each thing that it sends
  bool moves = false;        // its session is exported, and made anew, after all that it gets
};

struct RequestPlan {
  std::string method = "GET";
  PoolKind pool = PoolKind::kApp;
  std::size_t upload_bytes = 0;
  bool upload_chunked = false;
  unsigned status = 200;
  std::size_t answer_bytes = 0;
  Framing framing = Framing::kLength;
  bool interim = false;        // a 103 goes ahead
  bool server_closes = false;  // "Connection: close"
  Deed deed = Deed::kAnswers;
  std::size_t deed_at = 0;   // bytes of the answer
  bool early = false;        // the deed does not wait for the request's body
  bool reads_later = false;  // the server, when its answer has been taken
  microseconds thinking{0};  // of the server
  microseconds rests{0};     // of the client, before it asks, where it does not pipeline
  std::optional<WebSocketPlan> websocket;
  std::optional<TunnelPlan> tunnel;

  bool switches() const { return websocket || tunnel; }  // or would like to
  bool is_upload() const { return upload_bytes > 0 || upload_chunked; }
  // It may be sent a second time (RFC 9110 section 9.2.2).
  bool is_idempotent() const { return method != "POST"; }
  bool may_come_too_late() const { return thinking + Limits::kMargin >= Limits::kResponse; }
  // Nothing tells the end of such an answer but that of its connection.
  bool ends_with_connection() const {
    return !websocket && framing == Framing::kUntilClose && has_answer_body();
  }
  bool switches_badly() const { return websocket && websocket->badly_answered && is_wild(pool); }
  bool has_answer_body() const { return method != "HEAD" && status != 204 && status != 304; }
};

// Where a client comes in: the listeners, in their order.
enum class Entry : std::uint8_t { kPlain, kUnix, kSecure };
constexpr std::size_t kEntries = 3;

enum class Leaving : std::uint8_t { kStays, kHalfCloses, kCloses, kResets };

struct ClientPlan {
  unsigned number = 0;
  milliseconds comes_at{0};
  bool over_unix = false;
  std::optional<TlsPlan> tls;
  bool pipelines = false;
  bool silent = false;      // says nothing, or a part of a head
  bool in_reserve = false;  // comes when somebody was asked to come again
  Leaving leaving = Leaving::kStays;
  microseconds leaves_after{0};  // since it came; a half-close comes behind the last request
  std::size_t write_most = 0;    // at once
  std::size_t read_most = 0;
  microseconds pause_max{0};       // between two steps
  std::size_t dawdles_behind = 0;  // so many bytes it has read, and reads nothing for a while
  microseconds dawdles_for{0};
  microseconds lingers{0};  // when the gateway has closed, before it does so itself
  std::vector<RequestPlan> requests;

  Entry entry() const {
    if (tls) return Entry::kSecure;
    return over_unix ? Entry::kUnix : Entry::kPlain;
  }
  // It takes its bytes so late that the gateway may give it up.
  bool tries_patience() const { return dawdles_for >= Limits::kMargin; }
};

// What most clients of a run have in common (theme.cc).
enum class Theme : std::uint8_t {
  kAnything,
  kClosingWebSockets,
  kHurryOverTls,
  kUploadsInARow,
  kServersLostInUploads,
  kReloads,
  kLongWebSockets,
  kPolicies,
  kCompression,
  // These are drawn when all else is (late_theme.cc).
  kRefusals,
  kRebalance,
  kHandshakes,
  kMemory,
  kLiveTable,
};
constexpr std::size_t kThemes = 14;
constexpr std::size_t kEarlyThemes = 9;
constexpr bool is_late(Theme theme) {
  return static_cast<std::size_t>(theme) >= kEarlyThemes;
}

// What is left out of a run, to make a failing one short.
struct Narrowing {
  std::optional<std::vector<unsigned>> clients;  // only these
  std::optional<unsigned> faults;                // only these
  std::optional<unsigned> requests;              // at most so many of each client
  std::uint64_t salt = 0;                        // another order of the same things
  std::optional<Theme> theme;                    // instead of the seed's own
};

struct Scenario {
  std::uint64_t seed = 0;
  std::uint64_t salt = 0;
  Theme theme = Theme::kAnything;
  unsigned shards = 1;
  bool byte_cap = true;
  unsigned faults = 0;
  std::size_t window = 16 * 1024;
  uring::ReceiveBufferOptions buffers;
  std::size_t descriptors = 10'000;
  std::optional<milliseconds> stop_at;
  std::optional<milliseconds> cut_at;
  gateway::config::DrainSettings stop;  // how it is done, at stop_at or when all is over
  std::vector<DrainPlan> drains;        // in order
  std::vector<milliseconds> adopts_at;  // newer generations of the configuration, in order
  std::vector<OrphansOver> orphans;     // of each of these
  std::vector<ListPlan> lists;          // other servers of a pool, in order
  bool lists_outlive = false;           // a newer generation, whatever that says
  LooksPlan looks;                      // at the live table
  bool crowd_at_stop = false;           // many wait at the Unix socket then, for descriptors
  bool unreachable_refuses = true;      // or does not answer at all
  bool routes_override = false;         // each has its timeouts, where the defaults are endless
  std::optional<PolicyPlan> policy;     // of WebSockets on all routes; else
  bool has_policies = false;            // of WebSockets, by route
  bool has_balance = false;             // pools choose by this and that, and servers differ
  bool has_health = false;              // servers are checked, and ill for a while
  bool has_auth = false;                // some routes ask a server whether requests may pass
  bool has_tunnels = false;             // routes let other protocols than WebSockets pass
  bool has_care = false;                // servers are ejected, have places, are queued for
  bool tight = false;                   // clients may ask, routes have, less than they would
  bool proxied = false;                 // who comes over TCP begins with a PROXY header
  bool scarce_memory = false;           // to compress and inflate with
  // For clients and servers, beside what shards receive with; nothing: more than they take.
  std::optional<std::size_t> memory;
  unsigned ratio_max = 200;  // how much longer a message may become, on all routes
  std::vector<ClientPlan> clients;

  // There may be fewer descriptors than would be used.
  bool crowded() const { return descriptors < 100; }
  milliseconds doors_close_at() const { return *stop_at + stop.delay; }
  const RequestPlan* request(unsigned client, unsigned number) const;
};

// For a connection that may be spoilt anywhere.
TlsPlan draw_tls(Dice& dice, unsigned percent_spoilt);

// Makes a client's plan one of the theme's.
void follow(const Scenario& scenario, Dice& dice, ClientPlan& plan);

// Those of late_theme.cc: which it is, if any; what it needs of a run; and of a client.
std::optional<Theme> draw_late_theme(Dice& dice, const Scenario& scenario,
                                     const Narrowing& narrowing);
void prepare_late(Dice& dice, Scenario& scenario);
void follow_late(const Scenario& scenario, Dice& dice, ClientPlan& plan);

Scenario draw(std::uint64_t seed, const Narrowing& narrowing = {});

std::string_view name_of(Theme theme);
std::optional<Theme> theme_from(std::string_view name);
std::string names_of_faults(unsigned faults);
std::optional<unsigned> faults_from(std::string_view names);

}  // namespace simulation
