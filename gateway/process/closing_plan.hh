// How WebSockets are closed that are not closed by a stop: as [drain] says, where nobody says more.
#pragma once

#include "gateway/config/config.hh"
#include "gateway/shard/paced_closing.hh"

namespace gateway {

// The text of [drain] close_reason is told where the file has one: by default it speaks of a stop,
// so `reason` has its own.
ClosingPlan closing_plan(const config::DrainSettings& settings, Reason reason);

}  // namespace gateway
