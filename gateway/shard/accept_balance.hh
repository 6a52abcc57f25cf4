// Which shard serves a client that has come over TCP. The kernel spreads clients over the shards'
// sockets by chance, and those who stay add up: so a shard that has clearly more than the one with
// the fewest hands new ones over to that one. All shards know how many each has, somebody who is on
// the way to it included; nobody who is served already is moved.
//
// The bound keeps each within a tenth of the mean, or 8 clients where that is more, as long as
// clients come; whoever is within it stays where he was accepted, so that short connections do not
// wander for nothing.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gateway {

class AcceptBalance {
 public:
  static constexpr std::uint64_t kSurplusMin = 8;
  static constexpr std::uint64_t kPartOfMean = 12;

  explicit AcceptBalance(std::size_t shards) : loads_(shards) {}

  // On any thread: by who accepts, before the client goes there; and by who serves, at the end.
  void note_coming(std::size_t shard) {
    loads_[shard].value.fetch_add(1, std::memory_order_relaxed);
  }
  void note_gone(std::size_t shard) { loads_[shard].value.fetch_sub(1, std::memory_order_relaxed); }
  std::uint64_t load(std::size_t shard) const {
    return loads_[shard].value.load(std::memory_order_relaxed);
  }

  // Who is to serve a client that `own` has accepted, and not counted.
  std::size_t shard_for(std::size_t own) const {
    std::size_t fewest = own;
    std::uint64_t least = load(own);
    const std::uint64_t ours = least;
    std::uint64_t sum = 0;
    for (std::size_t step = 0; step < loads_.size(); ++step) {
      const std::size_t shard = (own + step) % loads_.size();
      const std::uint64_t its = load(shard);
      sum += its;
      if (its < least) fewest = shard;
      least = std::min(least, its);
    }
    const std::uint64_t surplus = std::max(kSurplusMin, sum / loads_.size() / kPartOfMean);
    return ours >= least + surplus ? fewest : own;
  }

 private:
  struct alignas(64) Load {
    std::atomic<std::uint64_t> value{0};
  };
  std::vector<Load> loads_;
};

}  // namespace gateway
