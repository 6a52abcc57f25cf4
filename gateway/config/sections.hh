// The sections of the configuration file, each read from its tables into the Config. All report
// what is wrong and go on; the Config counts only if nothing was reported.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/config.hh"
#include "gateway/config/table_reader.hh"

namespace gateway::config {

class ListFiles;
class PemFiles;

inline constexpr std::string_view kFromFolderOfFile =
    "; its path is taken from the folder of the configuration file";

// Of a request's body, by any key.
inline constexpr size_t kBodyBytesMax = size_t{1} << 40;

// Of connections, and of what comes in a second.
inline constexpr std::uint64_t kConnectionsMax = 1'000'000'000;

// Absolute, taken from the folder of the configuration file.
std::filesystem::path path_from(const std::filesystem::path& folder, std::string_view path);

// What "HOST:PORT" or "unix:PATH" stands for, of a listener; relative paths are taken from the
// folder. Failures are whole sentences.
std::expected<Address, std::string> listening_address(const std::string& text,
                                                      const std::filesystem::path& folder);

// 'servers' of a pool, with all names resolved.
void read_servers(TableReader& table, const std::filesystem::path& folder, const Resolve& resolve,
                  const ResolverSettings& settings, Pool& pool);

// Which of them gets what is new.
void read_balance(TableReader& pool, BalanceSettings& balance);

// Whether both cannot be listened on at once.
bool collide(const Address& one, const Address& other);
// What to say then of `one`; `where` is what the other does, and where.
std::string collision(const Address& one, const Address& other, std::string_view where);

// 'mode' and 'owner' of a Unix socket's file; an error where it is none.
UnixFile read_unix_file(TableReader& listen, bool is_unix);

// What makes a [[listen]] one of TLS; nothing: it speaks plain text.
std::optional<Tls> read_listener_tls(TableReader& listen, const std::filesystem::path& folder,
                                     PemFiles& pems);

// Whose certificates its clients have to show, and [[listen.names]].
void read_clients(TableReader& listen, const std::filesystem::path& folder, PemFiles& pems,
                  std::optional<Tls>& tls);

// The keys of TCP in [[listen]] and [pool.NAME].
void read_tcp_options(TableReader& table, bool is_unix, uring::TcpOptions& tcp);

// 'allow' and 'deny' of [[listen]] and [[route]].
Access read_access(TableReader& table, const std::filesystem::path& folder, ListFiles& files);

// What [limits] says of clients, [limits.address] included.
void read_client_limits(TableReader& limits, ClientLimits& clients);

// Networks, and "unix" for whoever comes through a Unix socket.
void read_peers(TableReader& table, std::string_view key, bool may_be_empty, TrustedProxies& peers);

// Whose PROXY headers a [[listen]] believes.
void read_proxy_headers(TableReader& listen, std::optional<ProxyHeaders>& headers);

// What [pool.NAME] sends before anything else, and from where. Its servers have been read.
void read_pool_edges(TableReader& table, Pool& pool);

// [[listen]], with its certificates.
void read_listeners(TableReader& file, const std::filesystem::path& folder, PemFiles& pems,
                    ListFiles& lists, Config& config);

// [pool.NAME], with all names of servers resolved.
void read_pools(TableReader& file, const std::filesystem::path& folder, const Resolve& resolve,
                PemFiles& pems, Config& config);

// What [pool.NAME] says of servers that fail and of requests that wait: its keys, and its tables,
// before which servers and TLS have been read.
void read_care(TableReader& pool, PoolHealth& health);
void read_care_tables(TableReader& table, Pool& pool);

// What a section that names files needs to read them, and servers.
struct Surroundings {
  const std::filesystem::path& folder;  // of the configuration file
  const Resolve& resolve;
  PemFiles& pems;
  ListFiles& lists;
  const ResolverSettings& resolver;
};

// [timeouts], [limits] and [defaults]; the pools have been read.
void read_bounds(TableReader& file, const Surroundings& around, Config& config);

// [[route]]; the pools and the defaults have been read.
void read_routes(TableReader& file, const Surroundings& around, Config& config);

// `auth` in [[route]] or [defaults], instead of what stands in `auth`. Adds the pool of an URL.
void read_auth(TableReader& table, const Surroundings& around, Config& config, Auth& auth);
void read_jwt(TableReader& table, const Surroundings& around, JwtAuth& jwt);
void read_basic(TableReader& table, const Surroundings& around, BasicAuth& basic);
void read_auth_request(TableReader& table, const Surroundings& around, Config& config, Auth& auth);
// Whether servers that make variables of fields' names take both for one: as
// equals_as_variable() has it.
bool is_same_variable(std::string_view one, std::string_view other);
// The name of a field that the gateway writes into requests: its place is the error's.
void check_owned_header(TableReader& table, const Text& name);
// Of a route, with its changes of headers: they become its own.
void own_headers_of_auth(TableReader& table, Route& route);
void own_headers_of_pools(std::vector<Route>& routes);

// What a route does: its pool, [route.answer] or [route.redirect], and what goes with them.
void read_action(TableReader& table, const Config& config, Route& route);

// What a route overrides of the defaults, which it has: its timeouts, limits and websocket.
void read_bounds_of_route(TableReader& table, Route& route);

// A table in [[route]] or [defaults], as the label says, is told that those beside it belong there.
void tell_of_tables(TableReader& inner, std::string_view label);

// [drain].
void read_drain(TableReader& file, DrainSettings& drain);

// [reload].
void read_reload(TableReader& file, ReloadSettings& reload);

// [log].
void read_log(TableReader& table, const std::filesystem::path& folder, LogSettings& log);

// `request_id` and `trace` of [[route]] or [defaults].
void read_marking(TableReader& table, Marking& marking);
// Nobody but the gateway writes the request's id of such a route, or its trace; the route's `auth`
// and changes of headers have been read.
void own_marks(TableReader& table, Route& route);

// [resolver].
void read_resolver(TableReader& file, ResolverSettings& resolver);

// [admin]; the listeners have been read.
void read_admin(TableReader& table, const std::filesystem::path& folder, PemFiles& pems,
                Config& config);

// [tracing]; the pools and the routes have been read. Adds the pool of its URL.
void read_tracing(TableReader& table, const Surroundings& around, Config& config);

// [upgrade].
void read_upgrade(TableReader& file, UpgradeSettings& upgrade);

// [route.websocket] or [defaults.websocket].
void read_websocket(TableReader& table, WebSocket& websocket);

// Why no route may change the field, in words behind "'NAME' "; or nothing.
std::string header_fault(std::string_view name);

// [route.request_headers] and [route.response_headers].
void read_header_changes(TableReader& table, Route& route);

}  // namespace gateway::config
