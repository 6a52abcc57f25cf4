#include "gateway/process/closing_plan.hh"

namespace gateway {

ClosingPlan closing_plan(const config::DrainSettings& settings, Reason reason) {
  const bool is_default = settings.close_reason == config::DrainSettings{}.close_reason;
  return {.over = settings.over,
          .order = settings.order,
          .reason = reason,
          .close_code = settings.close_code,
          .close_reason = is_default ? std::string(policy_of(reason).text) : settings.close_reason,
          // As long as at a stop.
          .boundary_time = settings.hard_stop - settings.delay};
}

}  // namespace gateway
