// The entries of a pool's `servers`: read from text, in the configuration or at the control socket,
// and made servers of.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hh"

namespace gateway::config {

// "srv:_app._tcp.example.com", in place of a host and a port.
inline constexpr std::string_view kServiceScheme = "srv:";
// Names stand for so many servers of a pool at the most.
inline constexpr std::size_t kServersMax = 1024;
inline constexpr std::uint32_t kWeightMax = 65'535;

inline constexpr std::array<std::string_view, 2> kResolveNames = {"each", "one"};

// "HOST:PORT", "unix:PATH", whose relative path is taken from the folder, or "srv:NAME"; a name is
// not looked up yet. Failures are whole sentences.
std::expected<ServerEntry, std::string> entry_from(const std::string& text,
                                                   const std::filesystem::path& folder);
// Looks its name up, if it has one. Blocks.
std::expected<void, std::string> resolve_entry(ServerEntry& entry, const Resolve& resolve,
                                               const ResolverSettings& settings);
// What is to be said where its name cannot be looked up.
std::string unresolved(const ServerEntry& entry, std::string_view why);

// What is to be said of a Unix socket in a pool whose TLS, as it is called, verifies without a
// name.
std::string nameless(std::string_view tls, std::string_view server);

// Whether the server may be one of the pool, as a check of the file would say.
std::expected<void, std::string> fits(const ServerEntry& entry, const Pool& pool);

// Whether both were given alike, whatever their names stand for.
bool is_same_entry(const ServerEntry& one, const ServerEntry& other);

// What was told at the control socket, with what the configuration says of the same server besides
// its weight.
ServerEntry with_settings(ServerEntry told, const std::vector<ServerEntry>& configured);

// The servers that an entry stands for, if this is what its name does. A name with one address of
// each family is one server at both; else each address is one, "NAME:PORT/ADDRESS". Who is among
// those `before` stays what it is called, though: an address of its own one of its own, and the
// name's server where it is at one of its addresses still. Services have the hosts and ports of
// their targets; their weights become weights, and those whose priority is not the first are
// backups.
std::vector<Server> servers_of(const ServerEntry& entry, const Found& found,
                               const std::vector<Server>& before = {});

// Those of all, each text once.
std::vector<Server> servers_of(const std::vector<ServerEntry>& entries);

}  // namespace gateway::config
