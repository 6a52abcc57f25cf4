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

class PemFiles;

inline constexpr std::string_view kFromFolderOfFile =
    "; its path is taken from the folder of the configuration file";

// Of a request's body, by any key.
inline constexpr size_t kBodyBytesMax = size_t{1} << 40;

// Absolute, taken from the folder of the configuration file.
std::filesystem::path path_from(const std::filesystem::path& folder, std::string_view path);

// What "HOST:PORT" or "unix:PATH" stands for, of a listener and of a server; relative paths are
// taken from the folder. Failures are whole sentences.
std::expected<Address, std::string> listening_address(const std::string& text,
                                                      const std::filesystem::path& folder);
std::expected<Server, std::string> server_from(const std::string& text,
                                               const std::filesystem::path& folder,
                                               const Resolve& resolve);

// Whether both cannot be listened on at once.
bool collide(const Address& one, const Address& other);
// What to say then of `one`; `where` is what the other does, and where.
std::string collision(const Address& one, const Address& other, std::string_view where);

// What makes a [[listen]] one of TLS; nothing: it speaks plain text.
std::optional<Tls> read_listener_tls(TableReader& listen, const std::filesystem::path& folder,
                                     PemFiles& pems);

// The keys of TCP in [[listen]] and [pool.NAME].
void read_tcp_options(TableReader& table, bool is_unix, uring::TcpOptions& tcp);

// [[listen]], with its certificates.
void read_listeners(TableReader& file, const std::filesystem::path& folder, PemFiles& pems,
                    Config& config);

// [pool.NAME], with all names of servers resolved.
void read_pools(TableReader& file, const std::filesystem::path& folder, const Resolve& resolve,
                PemFiles& pems, Config& config);

// [timeouts], [limits] and [defaults].
void read_bounds(TableReader& file, Config& config);

// [[route]]; the pools and the defaults have been read.
void read_routes(TableReader& file, Config& config);

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

// [upgrade].
void read_upgrade(TableReader& file, UpgradeSettings& upgrade);

// [route.websocket] or [defaults.websocket].
void read_websocket(TableReader& table, WebSocket& websocket);

// [route.request_headers] and [route.response_headers].
void read_header_changes(TableReader& table, Route& route);

}  // namespace gateway::config
