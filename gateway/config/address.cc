#include "gateway/config/address.hh"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>

namespace gateway::config {
namespace {

constexpr std::string_view kForm = "write \"HOST:PORT\" or \"[IPV6]:PORT\"";
constexpr char kBeforeZone = '%';

Address address_of(const sockaddr* from, socklen_t length) {
  Address address;
  std::memcpy(&address.storage, from, length);
  address.length = length;
  return address;
}

// RFC 4007 section 11.2: the interface that a link-local address belongs to, by name or number; 0:
// there is no such interface.
std::uint32_t zone_index(std::string_view zone) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
  std::array<char, IF_NAMESIZE> name{};
  const bool is_number = error == std::errc() && end == zone.data() + zone.size();
  if (is_number) return if_indextoname(number, name.data()) != nullptr ? number : 0;
  return if_nametoindex(std::string(zone).c_str());
}

std::string zone_text(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  if (index == 0) return {};
  if (if_indextoname(index, name.data()) == nullptr) return fmt::format("{}{}", kBeforeZone, index);
  return fmt::format("{}{}", kBeforeZone, name.data());
}

// What is left of a URL without its scheme and its path, with the port that it stands for.
std::string host_port_of(std::string_view url) {
  const size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end);
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const bool has_port = authority.rfind(':') != authority.npos && !authority.ends_with(']');
  if (has_port) return std::string(authority);
  return fmt::format("{}:{}", authority, scheme == "https" || scheme == "wss" ? 443 : 80);
}

// What is wrong with a host that no other text fits, in words behind "'TEXT' "; or nothing.
std::string host_fault(std::string_view host, bool bracketed) {
  if (host.empty()) return fmt::format("has no host: {}", kForm);
  if (host.ends_with('.')) return "has a host that ends in a dot: leave the dot out";
  const size_t percent = host.find(kBeforeZone);
  if (percent == host.npos || !bracketed) return {};
  const std::string_view zone = host.substr(percent + 1);
  if (zone_index(zone) != 0) return {};
  return fmt::format("names a network interface that there is not, '{}'", zone);
}

}  // namespace

uint16_t Address::port() const {
  if (is_unix()) return 0;
  // sin_port and sin6_port lie at the same place.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string_view Address::unix_path() const {
  constexpr size_t kPathAt = offsetof(sockaddr_un, sun_path);
  if (!is_unix() || length <= kPathAt) return {};
  const char* const path = reinterpret_cast<const sockaddr_un*>(&storage)->sun_path;
  return {path, strnlen(path, length - kPathAt)};
}

std::string Address::text() const {
  if (is_unix()) return fmt::format("{}{}", kUnixScheme, unix_path());
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, host.data(),
              host.size());
    return fmt::format("{}:{}", host.data(), port());
  }
  if (family() == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &v6->sin6_addr, host.data(), host.size());
    return fmt::format("[{}{}]:{}", host.data(), zone_text(v6->sin6_scope_id), port());
  }
  return {};
}

bool operator==(const Address& one, const Address& other) {
  if (one.family() != other.family() || one.port() != other.port()) return false;
  if (one.family() == AF_INET) {
    const auto ip = [](const Address& address) {
      return reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr.s_addr;
    };
    return ip(one) == ip(other);
  }
  if (one.family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(one.storage);
    const auto& other_v6 = reinterpret_cast<const sockaddr_in6&>(other.storage);
    return IN6_ARE_ADDR_EQUAL(&v6.sin6_addr, &other_v6.sin6_addr) &&
           v6.sin6_scope_id == other_v6.sin6_scope_id;
  }
  return one.unix_path() == other.unix_path();
}

std::expected<Address, std::string> unix_address(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) return std::unexpected("has no path: write \"unix:/run/app.sock\"");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(path.begin(), path.end(), is_control))
    return std::unexpected("has a control character in its path");
  if (path.size() >= sizeof address.sun_path)
    return std::unexpected(
        fmt::format("has a path of {} bytes, '{}': a Unix socket's has {} at most", path.size(),
                    path, sizeof address.sun_path - 1));
  path.copy(address.sun_path, path.size());
  return address_of(reinterpret_cast<const sockaddr*>(&address),
                    static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1));
}

std::expected<HostPort, std::string> split_host_port(std::string_view text) {
  if (text.find("://") != text.npos)
    return std::unexpected(fmt::format("is a URL: write \"{}\"", host_port_of(text)));
  const size_t colon = text.rfind(':');
  if (colon == text.npos || text.ends_with(']'))
    return std::unexpected(fmt::format("has no port: {}", kForm));
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);

  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == host.npos)
      return std::unexpected("has no IPv6 address between its brackets");
  } else if (host.find(':') != host.npos) {
    return std::unexpected(fmt::format("needs brackets around its IPv6 address: {}", kForm));
  }
  if (std::string fault = host_fault(host, bracketed); !fault.empty())
    return std::unexpected(std::move(fault));

  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size())
    return std::unexpected(fmt::format("has no number for a port: {}", kForm));
  if (error != std::errc() || port < 1 || port > 65535)
    return std::unexpected("has a port that is not between 1 and 65535");
  return HostPort{std::string(host), static_cast<uint16_t>(port)};
}

std::optional<Address> literal_address(const HostPort& where) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, where.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(where.port);
    return address_of(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  const size_t percent = where.host.find(kBeforeZone);
  if (percent != where.host.npos) {
    v6.sin6_scope_id = zone_index(std::string_view(where.host).substr(percent + 1));
    if (v6.sin6_scope_id == 0) return std::nullopt;
  }
  if (inet_pton(AF_INET6, where.host.substr(0, percent).c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(where.port);
    return address_of(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  return std::nullopt;
}

std::vector<Address> in_dialling_order(const std::vector<Address>& addresses) {
  std::vector<Address> waiting;
  for (const Address& one : addresses) {
    const bool is_known = std::find(waiting.begin(), waiting.end(), one) != waiting.end();
    if (!is_known) waiting.push_back(one);
  }
  std::vector<Address> order;
  while (!waiting.empty()) {
    const auto is_other = [&](const Address& one) {
      return !order.empty() && one.family() != order.back().family();
    };
    auto next = std::find_if(waiting.begin(), waiting.end(), is_other);
    if (next == waiting.end()) next = waiting.begin();
    order.push_back(*next);
    waiting.erase(next);
  }
  return order;
}

std::expected<std::vector<Address>, std::string> resolve_by_system(const HostPort& where) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failure =
      getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &list);
  if (failure != 0) return std::unexpected(std::string(gai_strerror(failure)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);

  std::vector<Address> addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    const bool usable = one->ai_family == AF_INET || one->ai_family == AF_INET6;
    if (usable) addresses.push_back(address_of(one->ai_addr, one->ai_addrlen));
  }
  if (addresses.empty()) return std::unexpected("it has no IPv4 or IPv6 address");
  return in_dialling_order(addresses);
}

}  // namespace gateway::config
