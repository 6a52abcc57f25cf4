#include "gateway/shard/closings.hh"

#include <algorithm>
#include <utility>

#include "gateway/websocket/tunnel.hh"

namespace gateway {

std::size_t Closings::begin(std::string_view name, const ClosingPlan& plan,
                            PacedClosing::Takes takes) {
  if (all_) return 0;
  // The earlier one of that name goes when it has nobody any more whom this one takes over.
  std::list<PacedClosing> earlier;
  const auto same = std::ranges::find(causes_, name, &PacedClosing::name);
  if (same != causes_.end()) earlier.splice(earlier.begin(), causes_, same);
  PacedClosing& closing =
      causes_.emplace_back(std::string(name), loop_, plan, end_of(plan), std::move(takes));
  std::vector<Tunnel*> open = open_ones(closing);
  const std::size_t count = open.size();
  closing.start(std::move(open));
  return count;
}

void Closings::begin_all(const ClosingPlan& plan) {
  begin("", plan, [](const Tunnel&) { return true; });
  end_of_all_ = end_of(plan);
  all_ = true;
  // The last one has them all.
  while (causes_.size() > 1) causes_.pop_front();
}

void Closings::end(std::string_view name) {
  causes_.remove_if([&](const PacedClosing& cause) { return cause.name() == name; });
}

void Closings::let_go() {
  for (PacedClosing& cause : causes_) cause.let_go();
}

void Closings::note_opened(Tunnel& tunnel) {
  const auto cause =
      std::ranges::find_if(causes_, [&](const PacedClosing& one) { return one.takes(tunnel); });
  if (cause != causes_.end()) cause->join(tunnel);
}

End Closings::end_of(const ClosingPlan& plan) {
  return {.reason = plan.reason,
          .close_code = plan.close_code,
          .detail = *texts_.insert(plan.close_reason).first};
}

// The oldest first.
std::vector<Tunnel*> Closings::open_ones(const PacedClosing& closing) {
  std::vector<Tunnel*> open;
  connections_.for_each([&](Connection& connection) {
    Tunnel* const tunnel = connection.tunnel();
    if (tunnel != nullptr && tunnel->is_open() && closing.takes(*tunnel)) open.push_back(tunnel);
  });
  std::ranges::stable_sort(open, {}, &Tunnel::begun);
  return open;
}

}  // namespace gateway
