// Whom a generation lets in, in the runs whose clients have addresses of their own: how many there
// may be at a time, how many of an address may come in a second, and whose address is denied.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/simulation/scenario.hh"

namespace simulation {

// Addresses: the first is that of whoever has none of his own.
constexpr std::size_t kHomes = 6;
constexpr std::uint32_t address_of_home(std::size_t home) {
  return home == 0 ? 0x7f00'0001 : 0x0a09'0000 + static_cast<std::uint32_t>(home);
}
// Where a client is at home, as its peer's address or its PROXY header says.
std::size_t home_of(const Scenario& scenario, unsigned client);

// So many events in a second, and what has not been used for so long at once; 0: any.
struct RatePlan {
  std::uint64_t per_second = 0;
  milliseconds burst{0};
};

// Of all numbers 0 is any.
struct DoorPlan {
  bool is_strict = false;   // else all are let in
  bool is_a_storm = false;  // of TLS handshakes
  std::uint64_t connections = 0;
  std::array<std::uint64_t, kEntries> of_listener{};
  std::uint64_t of_address = 0;
  RatePlan connects;  // of an address, the same in all generations, as the next one
  RatePlan handshakes;
  std::bitset<kHomes> denied;            // over TCP
  bool by_allowing = false;              // others
  std::uint64_t handshakes_waiting = 0;  // in a shard
};

DoorPlan plan_doors(const Scenario& scenario, std::uint64_t generation);
// Its keys of [limits], with [limits.address] behind them; and those of a listener.
std::string limits_text(const DoorPlan& plan);
std::string listener_text(const DoorPlan& plan, std::size_t entry);

}  // namespace simulation
