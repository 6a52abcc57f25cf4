// The configuration as the gateway works with it: plain data, complete with its defaults, and with
// the contents of the files that it names, so that nobody reads them again.
// Read once (config/reader.hh), then part of a Generation, and never changed: pointers into it live
// as long as that is held.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/account.hh"
#include "gateway/config/address.hh"
#include "gateway/config/admin_settings.hh"
#include "gateway/config/auth.hh"
#include "gateway/config/balance.hh"
#include "gateway/config/client_limits.hh"
#include "gateway/config/edges.hh"
#include "gateway/config/listener_tls.hh"
#include "gateway/config/marking.hh"
#include "gateway/config/network.hh"
#include "gateway/config/origins.hh"
#include "gateway/config/place.hh"
#include "gateway/config/pool_health.hh"
#include "gateway/config/resolver.hh"
#include "gateway/config/router.hh"
#include "gateway/config/tracing_settings.hh"
#include "gateway/config/unix_file.hh"
#include "gateway/log/level.hh"
#include "gateway/log/targets.hh"
#include "proto/ws/scan_rules.hh"
#include "uring/tcp_options.hh"

namespace gateway::config {

struct Listener {
  Address address;  // [::] takes IPv4 as well: IPV6_V6ONLY stays off
  std::optional<Tls> tls;
  UnixFile unix_file;                          // of a Unix socket
  std::optional<std::uint16_t> redirect_port;  // every request is sent to https on this port
  uring::TcpOptions tcp;                       // of what is accepted
  std::uint64_t connections_max = 0;           // at a time; 0: any number
  Access access;                               // whose connections are accepted
  std::optional<ProxyHeaders> proxy_headers;   // nothing: nobody sends any
  Place place;
};

struct Server {
  std::string text;  // "app.internal:9001" as written, "unix:/run/app.sock" with its absolute path
  std::string host;  // its name or IP address, without brackets; empty for a Unix socket
  std::vector<Address> addresses;  // at least one, in the order to try them
  std::uint32_t weight = 1;        // 0: it gets nothing new but what is stuck to it
  bool backup = false;             // only where no other takes anything
  std::string zone;                // empty: none
  size_t connections_max = 0;      // requests and WebSockets at once; 0: as its pool says

  bool operator==(const Server&) const = default;
};

// An entry of a pool's `servers`, as it was given: a name among them may stand for other servers by
// and by, while the entry stays.
struct ServerEntry {
  Server server;                     // of a name: without addresses, its text as written
  std::optional<Question> question;  // that is asked again and again; nothing: it is whole
  std::uint16_t port = 0;            // of a host's addresses
  bool is_one = false;               // all addresses of the name are one server's
  Found found;                       // what the name stood for when this was read
};

// Of a pool, at least one, and never changed: what takes another's place is another list.
using ServerList = std::shared_ptr<const std::vector<Server>>;

// TLS towards the servers of a pool.
struct PoolTls {
  std::string name;     // for SNI and verification; empty: each server's own host
  std::string ca_path;  // an absolute path; empty only without verification
  std::string ca;       // what that file held, in PEM form, when the configuration was read
  bool verify = true;
  Place place;
};

// Connections to a server that are kept for the next request, by all shards together.
struct KeepAlive {
  std::chrono::milliseconds idle{60'000};    // closed when unused for so long; 0: none are kept
  std::chrono::milliseconds age{3'600'000};  // not used again when older
  size_t count = 128;                        // more are closed instead of kept

  bool operator==(const KeepAlive&) const = default;
};

struct Pool {
  std::string name;
  std::vector<Server> servers;  // at least one: what `entries` stood for when they were read
  std::vector<ServerEntry> entries;
  BalanceSettings balance;
  KeepAlive keep_alive;
  std::optional<PoolTls> tls;
  uring::TcpOptions tcp{.unsent_bytes = uring::kUnsentBytes};  // of connections to them
  PoolHealth health;
  proxy::Version proxy_header = proxy::Version::kNone;  // which these begin with
  std::vector<Address> sources;  // of TCP, without a port, taken in turn; none: the system's choice
  bool is_of_url = false;        // it stands in the file as an URL, of [route.auth] or [tracing]
};

struct Header {
  std::string name;  // a token; neither hop-by-hop nor of the framing
  std::string value;

  bool operator==(const Header&) const = default;
};

// Applied in this order. `set` replaces all fields of the name, `add` goes behind what is there.
struct HeaderChanges {
  std::vector<std::string> remove;
  std::vector<Header> set;
  std::vector<Header> add;
  // Of requests: what the gateway says of who the client is, so that nobody else may.
  std::vector<std::string> owned;

  bool empty() const { return remove.empty() && set.empty() && add.empty() && owned.empty(); }

  bool operator==(const HeaderChanges&) const = default;
};

// What a route does with a path that has an escaped slash or backslash, which servers read in
// different ways.
enum class EscapedSlashes : std::uint8_t { keep, refuse };

inline constexpr std::array<std::string_view, 2> kEscapedSlashesNames = {"keep", "refuse"};

// A response that the gateway gives itself.
struct Answer {
  std::uint16_t status = 200;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
  std::uint16_t stopping_status = 0;  // instead, once the gateway is to stop; 0: no other one

  bool operator==(const Answer&) const = default;
};

struct Redirect {
  std::uint16_t status = 308;
  std::string to;  // for redirect_location()

  bool operator==(const Redirect&) const = default;
};

// How long a server and a request's client may take. None is 0 but websocket_idle, where it means
// "off".
struct RouteTimeouts {
  std::chrono::milliseconds request_body_idle{60'000};  // between two pieces of a body
  std::chrono::milliseconds connect{5'000};             // TLS handshake included
  std::chrono::milliseconds upstream_response{60'000};  // until the head of the response is there
  std::chrono::milliseconds response_idle{300'000};     // between two pieces of a response's body
  std::chrono::milliseconds websocket_idle{600'000};    // no byte either way

  bool operator==(const RouteTimeouts&) const = default;
};

// What a request's body may have at the most, and a server's response.
struct RouteLimits {
  std::uint64_t body_bytes = 0;         // 413; 0: any
  size_t response_header_fields = 512;  // 502
  std::uint64_t connections_max = 0;    // requests and WebSockets under way: 503; 0: any number

  bool operator==(const RouteLimits&) const = default;
};

// What becomes of extensions that compress messages. `terminate`: the gateway speaks
// permessage-deflate with the client, and no extension at all with the server.
enum class Compression : std::uint8_t { pass, off, terminate };

inline constexpr std::array<std::string_view, 3> kCompressionNames = {"pass", "off", "terminate"};

inline constexpr std::array<std::string_view, 3> kValidationNames = {"full", "headers", "off"};

// To whom an open WebSocket's own pings go.
enum class PingTo : std::uint8_t { client, upstream, both };

inline constexpr std::array<std::string_view, 3> kPingToNames = {"client", "upstream", "both"};

// What becomes of a client that sends more than it may.
enum class OverLimit : std::uint8_t { delay, close };

inline constexpr std::array<std::string_view, 2> kOverLimitNames = {"delay", "close"};

// When a peer of a WebSocket is closed that takes nothing of what it is sent.
struct SlowConsumer {
  std::chrono::milliseconds grace{0};  // for so long; 0: never
  std::uint16_t close_code = 1013;

  bool operator==(const SlowConsumer&) const = default;
};

// What a route does with the WebSockets that are opened through it. 0 means "off" where nothing
// else is said.
struct WebSocket {
  // What the client gets when its server goes without a close frame; 0: its connection is cut, too.
  std::uint16_t upstream_lost_code = 1011;
  Origins origins;                        // whose pages may open them; empty: anybody's
  std::vector<std::string> subprotocols;  // that may be agreed on; empty: any
  Compression compression = Compression::pass;
  // Of Compression::terminate.
  size_t compress_bytes_min = 64;             // a smaller message goes as it is
  size_t compression_level = 1;               // zlib's, 1 to 9
  bool context_takeover = false;              // windows are kept from one message to the next
  std::uint64_t compression_ratio_max = 200;  // of an inflated message to what came; 0: any
  ws::Validation validation = ws::Validation::kFull;
  // Payload, as headers declare it, either way: 1009; 0: any. A frame may have no more than a
  // message.
  std::uint64_t frame_bytes_max = 0;
  std::uint64_t message_bytes_max = 0;
  std::chrono::milliseconds ping{0};  // of our own, after so long without a byte of the peer
  std::chrono::milliseconds pong_timeout{10'000};  // never 0
  PingTo ping_to = PingTo::client;
  std::chrono::milliseconds lifetime{0};         // at the most, and
  std::chrono::milliseconds lifetime_jitter{0};  // by a random part of this less: no more than it
  std::uint16_t lifetime_code = 1001;
  std::chrono::milliseconds message_time{0};  // from a message's first byte to its last
  // What a client may send.
  std::uint64_t messages_per_second = 0;
  std::uint64_t bytes_per_second = 0;
  std::uint64_t control_frames_per_second = 0;
  std::chrono::milliseconds burst{1'000};  // what it has not sent for so long it may send at once
  OverLimit over_limit = OverLimit::delay;
  SlowConsumer slow_consumer;  // of either peer

  bool operator==(const WebSocket&) const = default;
};

// [defaults]: what each route has that says nothing else.
struct RouteDefaults {
  RouteTimeouts timeouts;
  RouteLimits limits;
  WebSocket websocket;
  Auth auth;
  Marking marking;
};

struct Route {
  std::string name;                // unique; as given, or "route-1", "route-2" by position
  std::vector<std::string> hosts;  // lower-case, exact or "*.SUFFIX"; empty: any host
  std::string path = "/";          // a prefix on segment borders, without a slash at its end
  size_t pool = 0;                 // index into Config::pools, unless one of the next two is there
  EscapedSlashes escaped_slashes = EscapedSlashes::keep;
  std::vector<std::string> methods;   // that pass; empty: all but TRACE
  Access access;                      // whose requests pass: 403
  std::vector<std::string> upgrades;  // protocols that pass beside WebSockets, as written
  std::optional<Answer> answer;
  std::optional<Redirect> redirect;
  bool strip_prefix = false;  // the upstream gets the target without `path`
  HeaderChanges request_headers;
  HeaderChanges response_headers;
  RouteTimeouts timeouts;  // these three are whole: what the route overrides, the defaults else
  RouteLimits limits;
  WebSocket websocket;
  Auth auth;        // its own, or the default one
  Marking marking;  // likewise
};

// What holds on a client's connection before a request's route is known.
struct Timeouts {
  std::chrono::milliseconds tls_handshake{10'000};
  std::chrono::milliseconds request_header{15'000};
  std::chrono::milliseconds keep_alive_idle{75'000};  // until the next request begins

  bool operator==(const Timeouts&) const = default;
};

struct Limits {
  size_t header_bytes = 32 * 1024;  // a request's head, with the empty line: 431
  size_t header_fields = 128;       // 431
  size_t target_bytes = 8 * 1024;   // 414
  std::uint64_t requests = 0;       // on one connection, which is closed after them; 0: any
  size_t compression_bytes = 64 * 1024 * 1024;  // of a shard, for all that is compressed there

  bool operator==(const Limits&) const = default;
};

// Parameters that bring secrets, by the names that most have for them.
std::vector<std::string> redacted_usually();

// A field of requests that access lines show.
struct LoggedHeader {
  std::string name;   // "User-Agent", as the file has it
  std::string field;  // "header_user_agent", as lines have it

  bool operator==(const LoggedHeader&) const = default;
};

struct LogSettings {
  LogTargets targets;
  std::string tls_keys;  // an absolute path; empty: TLS secrets are written nowhere
  LogLevel level = LogLevel::info;
  size_t buffer_bytes = 256 * 1024;  // per shard; what does not fit is dropped and counted
  bool websocket_open = false;       // a line when a WebSocket opens
  std::chrono::milliseconds websocket_every{0};  // a line of each that is open; 0: none
  // Parameters of queries whose values no line has, and with those that bring tokens.
  std::vector<std::string> redact = redacted_usually();
  std::vector<std::string> redacted = redacted_usually();
  std::vector<LoggedHeader> headers;
};

// How `gateway reload` and its like reach the process.
struct ControlSettings {
  std::string socket;  // an absolute path; empty: not at all
  std::string state;   // likewise: a file for what it was told that is to outlive the process

  bool operator==(const ControlSettings&) const = default;
};

// In which order WebSockets are closed, where not all are closed at once.
enum class ClosingOrder : std::uint8_t { random, oldest };

inline constexpr std::array<std::string_view, 2> kClosingOrderNames = {"random", "oldest"};

// How the gateway stops in order. hard_stop is more than delay and over together.
struct DrainSettings {
  std::chrono::milliseconds delay{0};      // so long it goes on letting clients in
  std::chrono::milliseconds over{30'000};  // then so long it closes WebSockets, one by one
  std::uint16_t close_code = 1001;
  std::string close_reason = "the gateway is stopping";
  ClosingOrder order = ClosingOrder::random;
  std::chrono::milliseconds hard_stop{60'000};  // from the signal on; what is left then is cut

  bool operator==(const DrainSettings&) const = default;
};

// What becomes of open WebSockets whose route or server a reload has left out.
enum class Orphans : std::uint8_t { keep, drain };

inline constexpr std::array<std::string_view, 2> kOrphansNames = {"keep", "drain"};

struct ReloadSettings {
  Orphans orphans = Orphans::keep;

  bool operator==(const ReloadSettings&) const = default;
};

// How the binary is replaced while it serves.
struct UpgradeSettings {
  std::chrono::milliseconds patience{60'000};  // so long the successor may take to be ready

  bool operator==(const UpgradeSettings&) const = default;
};

struct Config {
  std::string file;                // the file it came from, as named on the command line
  unsigned shards = 0;             // 0: one for each core this process may use
  std::optional<Account> account;  // whom the process becomes
  Place account_place;
  bool filters_system_calls = true;
  std::string pid_file;  // an absolute path; empty: none
  std::string zone;      // the gateway's own; empty: all servers are as near
  std::string secret;    // of the cookies of sticky pools; empty: made at the start
  std::vector<Listener> listeners;
  std::vector<Pool> pools;
  std::vector<Route> routes;
  ResolverSettings resolver;
  RouteDefaults defaults;  // each route has taken what it needs of them
  Timeouts timeouts;
  Limits limits;
  ClientLimits client_limits;
  TrustedProxies trusted_proxies;
  DrainSettings drain;
  ReloadSettings reload;
  UpgradeSettings upgrade;
  std::string via = "gateway";  // the gateway's name in Via (RFC 9110 section 7.6.3); empty: no Via
  LogSettings log;
  ControlSettings control;
  AdminSettings admin;
  std::optional<TracingSettings> tracing;  // none: no spans are exported
  Router router;                           // over `routes`
  // Worth a line each, but no reason to refuse it: "gateway.conf:7:17: warning: ...".
  std::vector<std::string> warnings;

  // The route of a request, or null. `host` is lower-case and without a port (empty: none given),
  // `path` is normal (http::normalise_path). The pointer lives as long as this object.
  const Route* match(std::string_view host, std::string_view path) const;
};

}  // namespace gateway::config
