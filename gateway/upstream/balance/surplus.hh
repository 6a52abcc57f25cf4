// Which WebSockets are to come again once a server has come, or weights have changed, so that each
// server ends with its share. It counts what that takes when it begins, and never asks for more:
// who has been asked and has not come again yet counts nowhere, and must not look like a reason to
// ask more. Plain data, for whoever leads it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "gateway/upstream/balance/candidate.hh"

namespace gateway::balance {

// Of a server.
struct Holding {
  std::uint64_t weight = 0;      // 0: it takes nothing new, and nobody is asked to leave it
  std::uint64_t websockets = 0;  // without those that were asked
};

class Surplus {
 public:
  bool is_over() const { return left_.empty(); }

  // Of the servers in this order, from here on.
  void begin(std::span<const Holding> servers) {
    left_.assign(servers.size(), 0);
    const Sums sums = sums_of(servers);
    for (std::size_t at = 0; at < servers.size(); ++at) {
      left_[at] = static_cast<std::uint64_t>(std::max(0.0, surplus(servers[at], sums)));
    }
    end_if_nothing_is_left();
  }
  void end() { left_.clear(); }
  // That may be asked in all.
  std::uint64_t left() const {
    return std::accumulate(left_.begin(), left_.end(), std::uint64_t{0});
  }

  // A server that has more than its share by now, the fullest for its weight, one of whose
  // WebSockets is to be asked; kNobody: there is none now. `servers` are those of begin() in the
  // same order; after an answer its caller counts that one as asked.
  std::size_t next(std::span<const Holding> servers) {
    std::size_t best = kNobody;
    const Sums sums = sums_of(servers);
    for (std::size_t at = 0; at < std::min(left_.size(), servers.size()); ++at) {
      if (left_[at] == 0 || surplus(servers[at], sums) < 1) continue;
      if (best == kNobody || is_fuller(servers[at], servers[best])) best = at;
    }
    if (best == kNobody) return kNobody;
    --left_[best];
    end_if_nothing_is_left();
    return best;
  }

 private:
  // Of those that have a weight.
  struct Sums {
    std::uint64_t weights = 0;
    std::uint64_t websockets = 0;
  };

  static Sums sums_of(std::span<const Holding> servers) {
    Sums sums;
    for (const Holding& one : servers) {
      sums.weights += one.weight;
      if (one.weight > 0) sums.websockets += one.websockets;
    }
    return sums;
  }
  static double surplus(const Holding& one, const Sums& sums) {
    if (one.weight == 0) return 0;
    const double share = static_cast<double>(one.weight) / static_cast<double>(sums.weights);
    return static_cast<double>(one.websockets) -
           std::ceil(static_cast<double>(sums.websockets) * share);
  }
  static bool is_fuller(const Holding& one, const Holding& other) {
    return one.websockets * other.weight > other.websockets * one.weight;
  }
  void end_if_nothing_is_left() {
    if (std::ranges::all_of(left_, [](std::uint64_t left) { return left == 0; })) left_.clear();
  }

  std::vector<std::uint64_t> left_;  // that may be asked, by server; empty: it is over
};

}  // namespace gateway::balance
