// The configuration of the simulated gateway: where its servers are, and each generation of it.
#pragma once

#include <array>
#include <string_view>

#include "gateway/config/generation.hh"
#include "tests/simulation/scenario.hh"

namespace simulation {

// Nobody is there.
inline constexpr std::string_view kRefusing = "10.0.1.2:80";

struct Site {
  std::string_view address;
  PoolKind pool;
};
inline constexpr std::array<Site, 7> kSites = {{{"10.0.0.1:80", PoolKind::kApp},
                                                {"unix:/run/app.sock", PoolKind::kApp},
                                                {"10.0.1.1:80", PoolKind::kClosing},
                                                {kRefusing, PoolKind::kClosing},
                                                {"10.0.2.1:80", PoolKind::kWild},
                                                {"10.0.3.1:443", PoolKind::kSecure},
                                                {"10.0.4.1:443", PoolKind::kSecureWild}}};

// `routes_override`: the timeouts of Limits stand in the routes, instead of defaults that are
// endless. Every second generation has a server less, and every third another trust in those of the
// pools over TLS: what is kept of them is given up, and all else goes on.
gateway::config::SharedGeneration read_generation(std::uint64_t number, bool routes_override);

}  // namespace simulation
