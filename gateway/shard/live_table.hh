// The live table: which connections there are at this moment, as rows that a shard makes and
// anybody may keep. A look asks all shards for the same; each fills a page of its own, whose size
// does not depend on how many connections it has.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/network.hh"
#include "gateway/shard/paced_closing.hh"
#include "gateway/websocket/frame_capture.hh"

namespace gateway {

// kIdle: between two requests, or before the first one.
enum class LiveKind : std::uint8_t { kIdle, kHttp, kWebSocket, kTunnel };
inline constexpr std::array<std::string_view, 4> kLiveKindNames = {"idle", "http", "websocket",
                                                                   "tunnel"};

// Rows that have all of it; what is empty or 0 does not count.
struct LiveFilter {
  std::optional<std::uint64_t> id;
  std::optional<LiveKind> kind;
  bool opened_only = false;  // WebSockets and tunnels
  std::string route;
  std::string pool;
  std::string server;
  std::string listener;
  std::optional<config::Network> client;
  std::chrono::milliseconds age{0};   // at least
  std::chrono::milliseconds idle{0};  // likewise
  std::uint64_t buffered_bytes = 0;   // likewise
  double messages_per_second = 0;     // likewise
};

enum class LiveSort : std::uint8_t { kId, kAge, kIdle, kBuffered, kRate, kMessages, kBytes };
inline constexpr std::array<std::string_view, 7> kLiveSortNames = {
    "id", "age", "idle", "buffered", "rate", "messages", "bytes"};

// A row's place in the order: by its value, then by its id.
struct LivePlace {
  double value = 0;
  std::uint64_t id = 0;

  bool operator==(const LivePlace&) const = default;
};

struct LiveQuery {
  static constexpr std::size_t kRowsMax = 1000;

  LiveFilter filter;
  LiveSort sort = LiveSort::kId;
  bool greatest_first = false;
  std::size_t rows = 100;          // at most kRowsMax
  std::optional<LivePlace> after;  // rows behind this place
  bool counts_all = true;          // how many match; else a look by id ends when it has its rows
  bool details = false;
  // A number of looks by id that go on one behind the other: each shard finds its place again, and
  // looks at nothing before it. 0: it is alone.
  std::uint64_t stream = 0;

  bool is_before(const LivePlace& one, const LivePlace& other) const {
    if (one.value == other.value) return one.id < other.id;
    return greatest_first ? one.value > other.value : one.value < other.value;
  }
};

// What went between the gateway and one peer of a WebSocket.
struct LivePeer {
  std::uint64_t frames = 0;
  std::uint64_t messages = 0;
  std::uint64_t compressed_messages = 0;
  std::uint64_t bytes = 0;  // of payload
  std::uint64_t wire_bytes_from = 0;
  std::uint64_t wire_bytes_to = 0;
  std::chrono::milliseconds pushed_back{0};
  std::chrono::microseconds last_round_trip{0};  // 0: it was not pinged
  std::chrono::microseconds worst_round_trip{0};
};

// Of one row, if it is asked for.
struct LiveDetails {
  std::string server_name;
  std::string tls_cipher;
  std::string tls_group;
  std::string client_certificate;  // its subject
  std::string protocol;            // of a tunnel that is no WebSocket
  bool tls_resumed = false;
  bool is_closing = false;
  std::uint64_t generation = 0;
};

struct LiveRow {
  LivePlace place;
  std::uint64_t id = 0;
  unsigned shard = 0;
  LiveKind kind = LiveKind::kIdle;
  std::string client;
  std::uint16_t port = 0;
  std::string listener;
  std::string tls;  // its version; empty: plain text
  std::chrono::milliseconds age{0};
  std::chrono::milliseconds idle{0};
  std::uint64_t requests = 0;
  // Of the request, or of the one that has opened it; empty where there is none.
  std::string request;
  std::string route;
  std::string pool;
  std::string server;
  LivePeer from_client;
  LivePeer from_upstream;
  double messages_per_second = 0;
  std::uint64_t buffered_bytes = 0;
  std::optional<LiveDetails> details;
};

// What one shard has found, in the order of the query.
struct LivePage {
  std::vector<LiveRow> rows;
  std::size_t looked_at = 0;
  std::size_t matched = 0;
  std::size_t kicked = 0;  // that are closed from now on
};

// Written by each shard in its own page, until it reports; then the main thread's.
struct LiveLook {
  // Those that match are closed, too. A name of its own lets earlier ones go on beside it.
  struct Kick {
    std::string name;
    PacedPlan paced;
  };

  LiveQuery query;
  std::optional<Kick> kick;
  std::shared_ptr<FrameCapture> capture;  // of the WebSockets that match; null: nobody looks
  std::vector<LivePage> pages;            // one for each shard
  // So many connections in a turn of a shard, where fewer than usual.
  std::optional<std::size_t> at_once = std::nullopt;
};

}  // namespace gateway
