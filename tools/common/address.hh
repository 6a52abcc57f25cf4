// Socket addresses from text.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace tools {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;
};

// "127.0.0.1:9001", "[::1]:9001", "localhost:0"; without a port the default one, if there is one.
std::expected<HostPort, std::string> split_host_port(std::string_view text, int default_port = -1);

// The first address of the host. Waits for the name server where it is a name.
std::expected<Address, std::string> resolve(const HostPort& host_port);

// Of a Unix socket. The path must fit into an address: about a hundred bytes.
std::expected<Address, std::string> unix_address(std::string_view path);

// "127.0.0.1:9001", "unix:/run/app.sock"
std::string to_text(const Address& address);

}  // namespace tools
