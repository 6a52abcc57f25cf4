// Whom the gateway lets in, turn by turn, against what its generations say: never more than may be
// there, and nobody refused for whom there is room, over all shards and at any moment.
//
// In the order in which a shard asks for the addresses of those that it has accepted it judges
// them. Who was reset in the same turn was refused; who was told instead is known where it can only
// be him. Of the others nothing certain is said, and they count as let in or not, whichever excuses
// more.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "gateway/limits/client_limits.hh"
#include "gateway/shard/shard.hh"
#include "tests/simulation/door_plan.hh"
#include "tests/simulation/generations.hh"
#include "tests/simulation/stage.hh"

namespace simulation {

class RefusalJudge {
 public:
  RefusalJudge(Stage& stage, gateway::limits::ClientLimits& limits,
               const uring::MemoryAccount& memory)
      : stage_(stage), limits_(limits), memory_(memory) {}

  // Around each turn of a shard. `oldest` is the number of the oldest generation that is held.
  void begin_turn(gateway::Shard& shard);
  void end_turn(gateway::Shard& shard, SimulatedKernel& kernel, std::uint64_t oldest);

 private:
  using Cause = gateway::limits::Cause;
  using nanoseconds = std::chrono::nanoseconds;

  struct Tally {
    std::uint64_t in_all = 0;
    std::array<std::uint64_t, kEntries> of_listener{};
    std::array<std::uint64_t, kHomes> of_home{};
    std::array<std::uint64_t, gateway::limits::kCauses> refused{};
    std::size_t bytes = 0;  // of memory
  };
  enum class Fate : std::uint8_t { kIn, kRefused, kMaybe };
  struct Judged {
    unsigned client;
    std::size_t entry;
    std::optional<std::size_t> home;  // none: nobody can tell, or its header is to tell
    bool is_gone = false;             // before it is judged: it may be refused or not
    Fate fate = Fate::kIn;
  };
  // What an address may use at once still, at the most and at the least.
  struct Credit {
    nanoseconds most{0};
    nanoseconds least{0};
    Time at{};
  };
  // How many there are at a moment of a turn.
  struct Range {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
  };
  struct Turn {
    Tally after;
    std::uint64_t first = 0;  // generations that it may go by
    std::uint64_t last = 0;
    std::uint64_t oldest = 0;
    std::vector<Judged> judged;
    Range in_all;
    std::array<Range, kEntries> of_listener;
    std::array<Range, kHomes> of_home;
  };

  Tally tally();
  bool goes_on(const Stream& stream) const;
  std::uint64_t newly(const Turn& turn, Cause cause) const;
  void judge_fates(Turn& turn, const std::vector<Stream>& closed);
  void judge_bounds(const Turn& turn);
  void judge_headers(const Turn& turn);
  void judge_handshakes(const Turn& turn, std::size_t waiting);
  void judge_memory(const Turn& turn, const gateway::Shard& shard);
  std::size_t spent_from() const { return memory_.most() - memory_.most() / 20; }
  void count(Turn& turn);
  void judge_one(Turn& turn, const Judged& one);
  bool may_be_refused(const Turn& turn, const Judged& one);
  void judge_admitted(const Turn& turn, const Judged& one);
  void note(Turn& turn, const Judged& one);

  bool is_denied(const Turn& turn, const Judged& one, bool by_all) const;
  // Of a listener that is gone an earlier generation tells.
  std::uint64_t first_for(const Turn& turn, std::size_t entry) const;
  template <class Get>
  Range bounds(std::uint64_t first, std::uint64_t last, Get get) const;
  Credit& credit(std::map<std::size_t, Credit>& of, std::size_t home, const RatePlan& rate);
  const GenerationPlan& plan(std::uint64_t number) const;

  Stage& stage_;
  gateway::limits::ClientLimits& limits_;
  const uring::MemoryAccount& memory_;
  mutable std::vector<GenerationPlan> plans_;
  Tally before_;
  std::size_t waited_ = 0;    // for a step of its handshake, before the turn
  std::size_t going_on_ = 0;  // with their handshakes, before the turn
  std::uint64_t first_ = 0;
  std::bitset<1000> known_;  // clients that were judged
  std::map<std::size_t, Credit> connects_;
  std::map<std::size_t, Credit> handshakes_;
};

}  // namespace simulation
