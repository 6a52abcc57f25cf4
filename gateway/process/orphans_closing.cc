#include "gateway/process/orphans_closing.hh"

#include <fmt/format.h>

#include <utility>

#include "gateway/config/units.hh"
#include "gateway/process/closing_plan.hh"

namespace gateway {

std::optional<PacedPlan> OrphansClosing::plan(const config::Config& config) const {
  if (config.reload.orphans == config::Orphans::keep) return std::nullopt;
  ClosingPlan plan = closing_plan(config.drain, Reason::kOrphaned);
  plan.waiting = waiting_;
  return PacedPlan(std::move(plan), shards_);
}

std::string OrphansClosing::tell(const config::Config& config, std::size_t closing) {
  const std::size_t waiting = *waiting_;
  if (closing == 0 && waiting > 0) return fmt::format("{} wait to be closed still", waiting);
  if (closing == 0) return "0 closed";
  const std::chrono::milliseconds over = config.drain.over;
  const auto look = [count = waiting_] {
    return std::optional(ClosingWatch::Left{.websockets = count->load()});
  };
  watch_.begin("orphans", over, look, "finished: nobody waits any more");
  return fmt::format("{} {} closed {}", closing, closing == 1 ? "is" : "are",
                     over.count() == 0 ? "at once" : "over " + config::print_duration(over));
}

}  // namespace gateway
