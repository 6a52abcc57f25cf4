// What the checks of a run's servers must have found, from what these have answered, and whether
// the gateway goes by it: who has failed as many checks in a row as his pool says is down soon and
// gets nothing new, who has passed enough of them is up, and fewer than these change nothing.
//
//   a check comes, and goes well or ill -> what is due, from then on -> what the gateway says and
//   does, judged at each turn
//
// What a reload changes begins anew: nothing is known of such a server until it has been checked
// often enough by the new terms.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tests/simulation/generations.hh"
#include "tests/simulation/stage.hh"

namespace simulation {

class HealthWatch {
 public:
  explicit HealthWatch(Stage& stage);

  // A check has come, over a connection that has come at `dialled`: how its server answers it.
  Illness note_check(const Site& site, Time dialled);
  // A line of the log that tells of a server.
  void note_line(std::string_view line);

  // At each turn: by the newest generation, which all shards have or which some are adopting. Who
  // is not in `listed` has gone.
  void follow(const GenerationPlan& newest, bool adopted, const Sites& listed);
  // From here on nobody follows.
  void end() { ended_ = true; }
  // Of a server that is listed: what the gateway says of it.
  void judge(std::size_t site, bool is_down);

  // Nothing new may get there.
  bool is_surely_down(const Site& site) const;
  // Of a pool where somebody may be.
  bool may_be_down(PoolKind pool) const;

 private:
  enum class State : std::uint8_t { kUnknown, kUp, kDown };
  struct Known {
    HealthPlan terms;
    bool listed = false;
    std::size_t passes = 0;  // in a row
    std::size_t fails = 0;
    State state = State::kUnknown;  // due from then on
    Time due_at{};
    Time changed_at{};               // by a reload, the last time
    std::optional<Time> dialled_at;  // by the last check
    std::optional<bool> told_down;   // by the last line of the log, since it is listed
  };

  static std::size_t index_of(const Site& site) {
    return static_cast<std::size_t>(&site - kSites.data());
  }
  // Checks may fail for what the gateway lacks.
  bool is_blurred() const;
  void judge_time(const Site& site, Time dialled);
  void judge_silence(std::size_t site);
  void expect(Known& known, State state);

  Stage& stage_;
  Time started_;
  bool adopted_ = false;  // what is newest, by all shards
  bool ended_ = false;
  std::array<Known, kSites.size()> known_;
};

}  // namespace simulation
