// A socket address as the configuration names it: an IPv4 or IPv6 address with a port, or the path
// of a Unix socket.
// A plain value: copied freely, owns nothing, and is never changed after loading.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::config {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }
  uint16_t port() const;               // 0: a Unix socket's
  std::string_view unix_path() const;  // empty if it has none, or is no Unix socket
  // "127.0.0.1:8080", "[::1]:8080", "[fe80::1%eth0]:8080" or "unix:/run/app.sock": reads back as
  // the same address.
  std::string text() const;

  // Family, address, port and interface; of a Unix socket the path.
  friend bool operator==(const Address& one, const Address& other);
};

// "unix:PATH", in place of a host and a port.
inline constexpr std::string_view kUnixScheme = "unix:";

// `path` as the system gets it. Fails with words that fit behind "'TEXT' ".
std::expected<Address, std::string> unix_address(std::string_view path);

// "HOST:PORT" or "[IPV6]:PORT" taken apart, its host not yet looked at.
struct HostPort {
  std::string host;
  uint16_t port = 0;
};

// Fails with words that fit behind "'TEXT' ": what is wrong with it.
std::expected<HostPort, std::string> split_host_port(std::string_view text);

// Nothing if the host is not an IP address: then it is a name to resolve. A link-local one has the
// interface behind it, "fe80::1%eth0" (RFC 4007 section 11).
std::optional<Address> literal_address(const HostPort& where);

// IPv6 and IPv4 in turn (RFC 8305 section 4), and each once: where one of the two does not work, an
// address of the other is the second to be tried.
std::vector<Address> in_dialling_order(const std::vector<Address>& addresses);

// All addresses of a name, in the order in which they are to be tried; never empty. Fails with the
// resolver's own words. Blocks: never called on a shard.
std::expected<std::vector<Address>, std::string> resolve_by_system(const HostPort& where);

}  // namespace gateway::config
