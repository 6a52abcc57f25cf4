// How names of servers become addresses: [resolver], and who looks them up while the configuration
// is read. What was found is plain data, and goes into the pools.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gateway/config/address.hh"

namespace gateway::config {

// [resolver].
struct ResolverSettings {
  std::vector<Address> servers;              // that are asked; empty: those of /etc/resolv.conf
  std::chrono::milliseconds timeout{2'000};  // of the first try; each further one has twice as long
  std::size_t tries = 2;                     // of each server
  std::chrono::milliseconds ttl_min{1'000};
  std::chrono::milliseconds ttl_max{300'000};

  bool operator==(const ResolverSettings&) const = default;
};

// What is looked up: the addresses of a host, or the services of a name (SRV, RFC 2782).
struct Question {
  std::string name;
  bool is_service = false;

  auto operator<=>(const Question&) const = default;
};

// A host with what is known of its addresses; of a service also where and how it is to be asked.
struct Target {
  std::string host;
  std::uint16_t port = 0;      // of a service
  std::uint16_t priority = 0;  // likewise: the lowest is asked
  std::uint16_t weight = 0;
  std::vector<Address> addresses;  // their ports mean nothing
  // Nobody could say: what was known before still holds.
  bool ipv4_unknown = false;
  bool ipv6_unknown = false;
};

struct Found {
  std::vector<Target> targets;  // of a host: one
  std::chrono::seconds ttl{0};  // the least of all that was used
};

// What was found now, and what was known before where nobody could say; in the order that it had
// before, since name servers change theirs with each answer.
Found merge(const Found& before, Found now);
// Whether both mean the same; in whichever order, and however long it holds.
bool means_the_same(const Found& one, const Found& other);

// A host that is always this machine (RFC 6761 section 6.3): it is not asked for again.
bool is_local(std::string_view host);

// Blocks: never called on a shard. Fails with words that fit behind "'NAME' cannot be resolved: ".
class Resolve {
 public:
  using Addresses = std::expected<std::vector<Address>, std::string>;
  using BySystem = std::function<Addresses(const HostPort& where)>;
  using ByDns = std::function<std::expected<Found, std::string>(const Question& question,
                                                                const ResolverSettings& settings)>;

  template <class Function>
  requires std::is_invocable_v<Function, const HostPort&> Resolve(Function by_system,
                                                                  ByDns by_dns = {})
      : by_system_(std::move(by_system)), by_dns_(std::move(by_dns)) {}

  // As the system's own settings say (nsswitch.conf), unless there are servers to ask instead.
  std::expected<Found, std::string> operator()(const Question& question,
                                               const ResolverSettings& settings) const;

 private:
  BySystem by_system_;
  ByDns by_dns_;
};

}  // namespace gateway::config
