#include "tools/common/address.hh"

#include <netdb.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>

namespace tools {
namespace {

std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::unexpected("not a port: " + std::string(text));
  }
  return port;
}

}  // namespace

std::expected<HostPort, std::string> split_host_port(std::string_view text, int default_port) {
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && host_end == std::string_view::npos) {
    return std::unexpected("no closing bracket: " + std::string(text));
  }
  HostPort result;
  result.host = bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  std::string_view rest;
  if (host_end != std::string_view::npos) rest = text.substr(host_end + (bracketed ? 1 : 0));
  if (result.host.empty()) return std::unexpected("no host: " + std::string(text));
  if (rest.empty() && default_port >= 0) {
    result.port = static_cast<std::uint16_t>(default_port);
    return result;
  }
  if (!rest.starts_with(':')) return std::unexpected("no port: " + std::string(text));
  const auto port = parse_port(rest.substr(1));
  if (!port) return std::unexpected(port.error());
  result.port = *port;
  return result;
}

std::expected<Address, std::string> resolve(const HostPort& host_port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(host_port.host.c_str(), std::to_string(host_port.port).c_str(), &hints, &found);
  if (error != 0) return std::unexpected(host_port.host + ": " + gai_strerror(error));
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

std::expected<Address, std::string> unix_address(std::string_view path) {
  Address address;
  auto& name = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    return std::unexpected("unix:" + std::string(path) + ": the path of a Unix socket has 1 to " +
                           std::to_string(sizeof name.sun_path - 1) + " bytes, and this one has " +
                           std::to_string(path.size()));
  }
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  address.size = sizeof name;
  return address;
}

std::string to_text(const Address& address) {
  if (address.storage.ss_family == AF_UNIX)
    return std::string("unix:") + reinterpret_cast<const sockaddr_un&>(address.storage).sun_path;
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(address.get(), address.size, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const bool bracketed = address.storage.ss_family == AF_INET6;
  return (bracketed ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

}  // namespace tools
