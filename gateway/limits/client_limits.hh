// What the process knows of its clients to keep them within their limits, shared by all shards and
// by all generations of the configuration: each address, the connections in all, those of listeners
// and routes, and how many were refused, each cause apart.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/config/client_limits.hh"
#include "gateway/limits/address_table.hh"
#include "gateway/limits/live_count.hh"

namespace gateway::limits {

// Why somebody was not let in.
enum class Cause : std::uint8_t {
  kConnections,         // in all
  kListener,            // of a listener
  kRoute,               // under way through a route
  kAddressConnections,  // of an address
  kAddressRate,         // new connections and handshakes of an address
  kAddressRequests,     // requests of an address
  kHandshakes,          // whose TLS handshakes wait for their turn in a shard
  kMemory,              // nearly all of it is in use
  kTableFull,           // its address finds no room in the table
  kDeniedPeer,          // by the lists of a listener
  kDeniedClient,        // by those of a route
};
inline constexpr std::size_t kCauses = static_cast<std::size_t>(Cause::kDeniedClient) + 1;
std::string_view name_of(Cause cause);

AddressBounds bounds_of(const config::AddressLimits& limits);

class ClientLimits {
 public:
  ClientLimits(std::size_t addresses, std::span<const std::byte, 32> seed)
      : addresses_(addresses, seed) {}

  AddressTable& addresses() { return addresses_; }
  LiveCount& connections() { return connections_; }
  LiveCounts& places() { return places_; }
  void note_refused(Cause cause) {
    refused_[static_cast<std::size_t>(cause)].fetch_add(1, std::memory_order_relaxed);
  }
  // Somebody was let in who is not counted, since the table was full.
  void note_unknown() { unknown_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t unknown() const { return unknown_.load(std::memory_order_relaxed); }
  std::uint64_t refused(Cause cause) const {
    return refused_[static_cast<std::size_t>(cause)].load(std::memory_order_relaxed);
  }
  // "7 address-rate=5 route=2": all of them, then each cause that there was.
  std::string text_of_refused() const;

 private:
  AddressTable addresses_;
  LiveCount connections_;
  LiveCounts places_;
  std::array<std::atomic<std::uint64_t>, kCauses> refused_{};
  std::atomic<std::uint64_t> unknown_{0};
};

}  // namespace gateway::limits
