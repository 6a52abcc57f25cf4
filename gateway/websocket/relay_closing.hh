// What a relay keeps once it ends: a peer has begun to close it, or somebody has called stop().
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/link/end.hh"
#include "uring/block_pool.hh"
#include "uring/kernel.hh"

namespace gateway {

struct RelayClosing {
  explicit RelayClosing(uring::BlockPool& memory) : pool(memory) {}
  uring::BlockPool& frames() { return pool; }

  uring::BlockPool& pool;
  std::optional<End> end;                // the first one wins
  End told;                              // what our close frames speak of: set by stop()
  uring::Clock::time_point boundary_by;  // then what is under way is cut
  std::uint64_t taken_bytes = 0;         // when it was looked at last
  std::uint16_t close_code = 0;          // of the first close frame
  Party closed_by = Party::kNobody;      // who sent that
  bool stopping = false;
  bool cut_short = false;

  // Of a peer's the code may be 0, where nothing is validated.
  bool has_close() const { return close_code != 0 || closed_by != Party::kNobody; }
};

}  // namespace gateway
