// Counts by a key of which only a few values come up: a fixed number of places, each taken by the
// first key that needs it; what finds none is counted together. So there is a bound on what a peer
// can make of it, whatever he sends. One thread counts, any may read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "uring/count.hh"

namespace gateway {

template <std::size_t kPlaces>
class Tally {
 public:
  // On the writer's thread. What comes up often has one of the first places, mostly.
  void add(std::uint32_t key) {
    const std::uint64_t mark = std::uint64_t{key} + 1;
    for (Place& place : places_) {
      if (place.mark == 0) place.mark.set(mark);
      if (place.mark == mark) return place.count.add();
    }
    others_.add();
  }

  // On any thread: calls visit(key, count).
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Place& place : places_) {
      const std::uint64_t mark = place.mark.value();
      if (mark == 0) return;
      if (const std::uint64_t count = place.count.value(); count > 0)
        visit(static_cast<std::uint32_t>(mark - 1), count);
    }
  }
  std::uint64_t others() const { return others_.value(); }
  std::uint64_t total() const {
    std::uint64_t all = others();
    for_each([&](std::uint32_t, std::uint64_t count) { all += count; });
    return all;
  }

 private:
  struct Place {
    uring::Count mark;  // the key and one; 0: nobody's
    uring::Count count;
  };

  std::array<Place, kPlaces> places_;
  uring::Count others_;
};

}  // namespace gateway
