// Whether requests have ids and traces where their routes give them: each its own, and the same one
// each time that it is sent.
#include <algorithm>

#include "proto/http/trace_parent.hh"
#include "tests/simulation/generations.hh"
#include "tests/simulation/server.hh"

namespace simulation {
namespace {

bool is_id(const std::string& text) {
  return text.size() == 32 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

void SimulatedServer::judge_marks() {
  const GenerationPlan plan = plan_generation(stage_.scenario, generation_of(reader_));
  const std::string* const id = reader_.field("x-request-id");
  const std::string* const trace = reader_.field("traceparent");
  const std::string target = target_of(client_, request_);
  if (!plan.marks[static_cast<std::size_t>(pool_)]) {
    if (id != nullptr || trace != nullptr) {
      stage_.chronicle.fail(name_, "gets {} with marks that nobody asked for", target);
    }
    return;
  }
  if (id == nullptr || trace == nullptr || !is_id(*id) || !http::trace_parent_of(*trace)) {
    return stage_.chronicle.fail(name_, "gets {} without an id, or without a trace", target);
  }
  Trail& trail = stage_.trail(client_, request_);
  const bool is_new = stage_.ids.insert(*id).second;
  if (is_new != trail.id.empty() || (!is_new && *id != trail.id)) {
    stage_.chronicle.fail(name_, "gets {} as {}, not as \"{}\"", target, *id, trail.id);
  }
  trail.id = *id;
  if (!trail.traceparent.empty() && trail.traceparent != *trace) {
    stage_.chronicle.fail(name_, "gets {} with {}, not with {}", target, *trace, trail.traceparent);
  }
  trail.traceparent = *trace;
}

}  // namespace simulation
