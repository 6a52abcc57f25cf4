// The generations of the simulated gateway's configuration, each drawn from the seed: where it
// listens, with which certificate, where its servers are, what its routes do.
//
// A request says whose route it has taken, and so does its answer: X-Generation.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/config/generation.hh"
#include "tests/simulation/balance_plan.hh"
#include "tests/simulation/care_plan.hh"
#include "tests/simulation/health_plan.hh"
#include "tests/simulation/door_plan.hh"
#include "tests/simulation/message_reader.hh"
#include "tests/simulation/policy_plan.hh"
#include "tests/simulation/rebalance_plan.hh"
#include "tests/simulation/scenario.hh"

namespace simulation {

// Nobody is there.
inline constexpr std::string_view kRefusing = "10.0.1.2:80";

struct Site {
  std::string_view address;
  PoolKind pool;
  bool at_first = true;  // in the first generation
};
inline constexpr std::array<Site, 10> kSites = {{{"10.0.0.1:80", PoolKind::kApp},
                                                 {"unix:/run/app.sock", PoolKind::kApp},
                                                 {"10.0.0.2:80", PoolKind::kApp, false},
                                                 {"10.0.1.1:80", PoolKind::kClosing},
                                                 {kRefusing, PoolKind::kClosing},
                                                 {"10.0.2.1:80", PoolKind::kWild},
                                                 {"10.0.2.2:80", PoolKind::kWild, false},
                                                 {"10.0.3.1:443", PoolKind::kSecure},
                                                 {"10.0.3.2:443", PoolKind::kSecure, false},
                                                 {"10.0.4.1:443", PoolKind::kSecureWild}}};

constexpr std::size_t kAppSites = 3;  // the first ones

using Sites = std::bitset<kSites.size()>;
// It comes, or goes; but each pool keeps one that can be reached.
void flip_server(std::size_t at, Sites& sites);

// By Entry.
inline constexpr std::array<std::string_view, kEntries> kListeners = {
    "0.0.0.0:80", "unix:/run/gateway.sock", "0.0.0.0:443"};

// What a route may have under way where limits are tight.
constexpr std::uint64_t kTightConnections = 2;

struct GenerationPlan {
  std::uint64_t number = 1;
  std::bitset<kEntries> listens;
  Sites sites;
  bool other_certificate = false;
  bool verifies = true;                         // the servers of the pools over TLS
  bool redirects = false;                       // whoever wants the wild ones
  bool is_patient = false;                      // half as long again as Limits say
  bool in_routes = false;                       // the timeouts of Limits; else in the defaults
  bool proxied = false;                         // PROXY headers are expected over TCP
  bool scarce_memory = false;                   // to compress and inflate with
  bool tight = false;                           // see Scenario
  std::array<PolicyPlan, kPoolKinds> policies;  // of WebSockets, by PoolKind
  std::array<CarePlan, kPoolKinds> care;        // likewise
  HealthPlans health;                           // likewise
  std::bitset<kPoolKinds> checked;              // in any generation
  BalancePlan balance;
  std::bitset<kPoolKinds> auth;      // whose routes ask whether requests may pass
  bool has_guard = false;            // ... a pool that is there
  std::bitset<kPoolKinds> marks;     // whose routes give requests ids and traces
  std::bitset<kPoolKinds> upgrades;  // whose routes let kTunnelProtocol pass
  DoorPlan doors;
  RebalancePlan rebalance;
  bool is_sticky(PoolKind pool) const { return balance.is_sticky(static_cast<std::size_t>(pool)); }
  // Where another server of its pool is to be preferred to it, whatever that has under way.
  bool is_last_resort(std::string_view address) const;
  // A server of that pool may be full, ejected, or down.
  bool may_pass_over(PoolKind pool) const {
    const CarePlan& its = care[static_cast<std::size_t>(pool)];
    return its.is_limited() || its.ejects() || checked[static_cast<std::size_t>(pool)];
  }
  const PolicyPlan& policy(PoolKind pool) const { return policies[static_cast<std::size_t>(pool)]; }
  bool has_server(std::string_view address) const;
  bool redirects_from(PoolKind pool) const { return redirects && pool == PoolKind::kWild; }
};

// The first one listens everywhere. Each other one differs in some ways, or in none, from the one
// before it.
GenerationPlan plan_generation(const Scenario& scenario, std::uint64_t number);
gateway::config::SharedGeneration make_generation(const GenerationPlan& plan);

// The policies that a WebSocket may have gone by, one after the other, that was opened by one
// generation and is there until another one: a route that has gone leaves it the one it had.
std::vector<PolicyPlan> policies_of(const Scenario& scenario, PoolKind pool, std::uint64_t first,
                                    std::uint64_t last);

// In all generations of the run.
bool always_upgrades(const Scenario& scenario, PoolKind pool);

// What a message says of the route that it has taken; 0: nothing.
std::uint64_t generation_of(const MessageReader& message);

}  // namespace simulation
