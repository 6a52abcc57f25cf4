// Whether a client that a shard has accepted is let in: by the lists of its listener, by how many
// there are already, in all, of the listener and of its address, and by how many of that address
// have just come. Who is not let in costs as little as can be: its connection is reset, before any
// TLS handshake; but so many as few are, on listeners without TLS, are told with the answer to
// their first request.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "gateway/limits/client_limits.hh"
#include "gateway/limits/holds.hh"
#include "gateway/link/end.hh"
#include "gateway/shard/entrance.hh"
#include "uring/memory_account.hh"

namespace gateway {

class Admission {
 public:
  // Of a shard, who are told and not counted. Each is given so long to ask.
  static constexpr std::size_t kToldMax = 64;
  static constexpr std::chrono::seconds kToldTime{2};

  Admission(limits::ClientLimits& limits, const uring::MemoryAccount& memory)
      : limits_(limits), memory_(memory) {}

  struct Answer {
    limits::ConnectionHolds holds;
    std::optional<limits::Cause> refused;
    bool table_full = false;  // his address has no place in it
    std::chrono::seconds retry_after{1};
  };
  // `peer` is who is connected. On the shard's thread. Whose PROXY header is to tell who the client
  // is, is judged by his address later.
  Answer judge(const config::Address& peer, const Entrance& entrance, const config::Config& config,
               limits::Clock::time_point now);

  // The same of a client's address alone.
  Answer judge_client(const config::Address& client, const Entrance& entrance,
                      const config::Config& config, limits::Clock::time_point now);

  // What one who is refused is told, where it may be told; `answer` is what judge() gave.
  std::optional<End> end_for(const Answer& answer, const Entrance& entrance);
  void note_told_gone() { --told_; }

  limits::ClientLimits& limits() { return limits_; }

 private:
  limits::ClientLimits& limits_;
  const uring::MemoryAccount& memory_;
  std::size_t told_ = 0;
};

// In whole seconds, at least one.
std::chrono::seconds retry_after(limits::Nanoseconds wait);

}  // namespace gateway
