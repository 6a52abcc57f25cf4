// What a pool does about servers that fail, and about requests that no server can take at once:
// checks, ejection, servers that leave, waiting, limits and the budget of retries. Plain data.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::config {

// Both ends belong to it.
struct StatusRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  bool operator==(const StatusRange&) const = default;
};
using StatusRanges = std::vector<StatusRange>;

inline bool contains(const StatusRanges& ranges, std::uint16_t status) {
  for (const StatusRange& range : ranges) {
    if (status >= range.first && status <= range.last) return true;
  }
  return false;
}

enum class CheckType : std::uint8_t { http, websocket, tcp, tls };

inline constexpr std::array<std::string_view, 4> kCheckTypeNames = {"http", "websocket", "tcp",
                                                                    "tls"};

inline constexpr std::array<std::string_view, 2> kInitiallyNames = {"up", "down"};

// [pool.NAME.health]: each server is asked so, once in a while, by one shard for all.
struct HealthCheck {
  CheckType type = CheckType::http;
  std::string path = "/";           // of http and websocket, and these three
  bool head = false;                // HEAD instead of GET
  std::string host;                 // in Host; empty: the server's own
  StatusRanges status{{200, 399}};  // of http: these pass
  std::string body;                 // of http: what the body begins with; empty: anything
  std::string echo;  // of websocket: a text that is sent and must come back; empty: none
  std::chrono::milliseconds every{5'000};
  std::chrono::milliseconds timeout{2'000};  // for each address of the server
  size_t fall = 3;                           // so many failures in a row: it is down
  size_t rise = 2;                           // so many passes: it is up again
  size_t port = 0;                           // instead of the server's; 0: its own
  bool initially_down = false;               // until the first check, which decides alone

  bool operator==(const HealthCheck&) const = default;
};

// [pool.NAME.ejection]: a server that fails real requests gets none for a while.
struct Ejection {
  size_t in_a_row = 3;  // failures; 0: not counted
  unsigned rate = 0;    // percent of the requests of a window; 0: not counted
  std::chrono::milliseconds window{10'000};
  size_t requests_min = 20;                // in a window, before its rate counts
  StatusRanges status{{502, 504}};         // answers that are failures, too
  std::chrono::milliseconds time{10'000};  // the first time; twice as long each time that follows
  std::chrono::milliseconds time_max{300'000};
  unsigned share_max = 50;  // percent of the pool's servers

  bool is_on() const { return in_a_row > 0 || rate > 0; }
  bool operator==(const Ejection&) const = default;
};

// Re-sent requests and tries with the next server, over all shards.
struct RetryBudget {
  bool is_on = true;
  unsigned share = 20;     // percent of the requests
  size_t per_second = 10;  // whatever the share says

  bool operator==(const RetryBudget&) const = default;
};

// Where every server that may be asked has as much as it may have.
struct Queue {
  size_t length = 0;  // of the process; 0: nobody waits
  std::chrono::milliseconds time{5'000};

  bool operator==(const Queue&) const = default;
};

enum class Fallback : std::uint8_t { none, all };

inline constexpr std::array<std::string_view, 2> kFallbackNames = {"none", "all"};

struct PoolHealth {
  std::optional<HealthCheck> check;
  Ejection ejection;
  StatusRanges drain_on;  // a server that answers so leaves; empty: none does
  std::chrono::milliseconds drain_time{30'000};
  Fallback fallback = Fallback::none;  // where no server is up
  // In the 503 then, and of a queue; 0: not said.
  std::chrono::milliseconds retry_after{5'000};
  std::chrono::milliseconds hold{0};  // so long a request waits for a server; 0: not
  Queue queue;
  size_t connections_max = 0;       // of each server that says nothing else; 0: any
  size_t upgrades_max = 0;          // handshakes of WebSockets with servers at once; 0: any
  unsigned websockets_share = 100;  // percent of connections_max that WebSockets may have
  RetryBudget retry_budget;

  bool operator==(const PoolHealth&) const = default;
};

}  // namespace gateway::config
