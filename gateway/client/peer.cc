#include "gateway/client/peer.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "gateway/config/network.hh"

namespace gateway {
namespace {

constexpr std::size_t kMappedBytes = 12;  // in front of an IPv4 address that is written as IPv6

using proxy::Endpoints;
using proxy::Family;

Family family_of(const config::Address& address) {
  if (address.is_unix()) return Family::kUnix;
  return address.family() == AF_INET ? Family::kIpv4 : Family::kIpv6;
}

Endpoints::Octets octets_in(const config::Address& address) {
  Endpoints::Octets octets{};
  if (address.family() == AF_INET) {
    std::memcpy(octets.data(), &reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr, 4);
  } else if (address.family() == AF_INET6) {
    std::memcpy(octets.data(), &reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr,
                octets.size());
  }
  return octets;
}

// Both ends are of IPv4, though written as IPv6: what comes to [::] does.
void unmap(Endpoints& ends, bool both) {
  const bool mapped = ends.family == Family::kIpv6 && config::is_mapped(ends.source) &&
                      (!both || config::is_mapped(ends.destination));
  if (!mapped) return;
  ends.family = Family::kIpv4;
  for (Endpoints::Octets* const octets : {&ends.source, &ends.destination}) {
    std::copy(octets->begin() + kMappedBytes, octets->end(), octets->begin());
    std::fill(octets->begin() + 4, octets->end(), std::uint8_t{0});
  }
}

}  // namespace

int Peer::learn(uring::Kernel& kernel, int descriptor) {
  config::Address address;
  address.length = sizeof address.storage;
  const int known = kernel.peer_address(descriptor, reinterpret_cast<sockaddr*>(&address.storage),
                                        &address.length);
  if (known < 0) return known;
  Endpoints ends = {
      .family = family_of(address), .source = octets_in(address), .source_port = address.port()};
  unmap(ends, false);
  note_source(ends);
  return 0;
}

void Peer::learn(const Endpoints& told) {
  Endpoints ends = told;
  unmap(ends, true);
  note_source(ends);
  told_ = std::make_unique<const Destination>(
      Destination{.octets = ends.destination, .port = ends.destination_port});
}

void Peer::note_source(const Endpoints& ends) {
  family_ = ends.family;
  octets_ = ends.source;
  port_ = ends.source_port;
}

HostText Peer::host() const {
  const std::span octets(octets_);
  switch (family_) {
    case Family::kNone:
      break;
    case Family::kIpv4:
      return HostText::of_ipv4(octets.first<4>());
    case Family::kIpv6:
      // Of a header's two addresses one alone may be IPv4.
      return config::is_mapped(octets_) ? HostText::of_ipv4(octets.subspan<kMappedBytes>())
                                        : HostText::of_ipv6(octets);
    case Family::kUnix:
      return HostText("unix");
  }
  return HostText("-");
}

config::Address Peer::address() const {
  config::Address address;
  if (family_ == Family::kIpv4) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port_);
    std::memcpy(&v4.sin_addr, octets_.data(), sizeof v4.sin_addr);
    address.length = sizeof v4;
  } else if (family_ == Family::kIpv6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    std::memcpy(&v6.sin6_addr, octets_.data(), sizeof v6.sin6_addr);
    address.length = sizeof v6;
  } else if (family_ == Family::kUnix) {
    address.storage.ss_family = AF_UNIX;
    address.length = sizeof address.storage.ss_family;
  }
  return address;
}

Endpoints Peer::ends(uring::Kernel& kernel, int descriptor) const {
  Endpoints ends = {.family = family_, .source = octets_, .source_port = port_};
  if (told_) {
    ends.destination = told_->octets;
    ends.destination_port = told_->port;
  }
  if (told_ || family_ == Family::kUnix) return ends;
  config::Address here;
  here.length = sizeof here.storage;
  const int known =
      kernel.own_address(descriptor, reinterpret_cast<sockaddr*>(&here.storage), &here.length);
  if (known < 0) return {};
  ends.destination = octets_in(here);
  ends.destination_port = here.port();
  if (family_of(here) == family_) return ends;
  // The client's is written as IPv4 already.
  std::copy(ends.destination.begin() + kMappedBytes, ends.destination.end(),
            ends.destination.begin());
  std::fill(ends.destination.begin() + 4, ends.destination.end(), std::uint8_t{0});
  return ends;
}

}  // namespace gateway
