#include "gateway/shard/closings.hh"

#include <algorithm>
#include <utility>

#include "gateway/websocket/tunnel.hh"

namespace gateway {

std::size_t Closings::begin(std::string_view name, const PacedPlan& paced,
                            PacedClosing::Takes takes, PacedClosing::Stands stands) {
  if (all_) {
    paced.pace->begin(loop_.now(), 0);
    return 0;
  }
  // What will never mean anybody any more, and has nobody.
  causes_.remove_if(
      [](const PacedClosing& cause) { return !cause.stands() && cause.waiting() == 0; });
  // The earlier one of that name goes when it has nobody any more whom this one takes over.
  std::list<PacedClosing> earlier;
  const auto same = std::ranges::find(causes_, name, &PacedClosing::name);
  if (same != causes_.end()) earlier.splice(earlier.begin(), causes_, same);
  std::vector<Tunnel*> open = open_ones(takes);
  if (paced.plan.order == config::ClosingOrder::oldest)
    std::ranges::stable_sort(open, {}, &Tunnel::begun);
  const std::size_t count = open.size();
  causes_
      .emplace_back(std::string(name), loop_, paced.plan, paced.pace, end_of(paced.plan),
                    std::move(takes), std::move(stands))
      .start(std::move(open));
  if (!earlier.empty()) offer(earlier.front().let_all_go());
  return count;
}

std::size_t Closings::renew(std::string_view name, const PacedPlan& paced,
                            const PacedClosing::Takes& takes) {
  const auto same = std::ranges::find(causes_, name, &PacedClosing::name);
  if (same == causes_.end() || same->plan() != paced.plan) return begin(name, paced, takes);
  offer(same->let_go());
  const std::vector<Tunnel*> open = open_ones(takes);
  const bool all_wait =
      std::ranges::all_of(open, [&](const Tunnel* tunnel) { return same->has(*tunnel); });
  if (!all_wait) return begin(name, paced, takes);
  paced.pace->begin(loop_.now(), 0);
  return 0;
}

void Closings::begin_all(const PacedPlan& paced) {
  begin("", paced, [](const Tunnel&) { return true; });
  end_of_all_ = end_of(paced.plan);
  all_ = true;
  // The last one has them all.
  while (causes_.size() > 1) causes_.pop_front();
}

void Closings::end(std::string_view name) {
  const auto cause = std::ranges::find(causes_, name, &PacedClosing::name);
  if (cause == causes_.end()) return;
  const std::vector<Tunnel*> gone = cause->let_all_go();
  causes_.erase(cause);
  offer(gone);
}

void Closings::let_go() {
  std::vector<Tunnel*> gone;
  for (PacedClosing& cause : causes_) {
    const std::vector<Tunnel*> some = cause.let_go();
    gone.insert(gone.end(), some.begin(), some.end());
  }
  causes_.remove_if([](const PacedClosing& cause) { return !cause.stands(); });
  offer(gone);
}

void Closings::note_opened(Tunnel& tunnel) {
  if (PacedClosing* const cause = join_last(tunnel)) cause->go_on();
}

// Null: nobody means it.
PacedClosing* Closings::join_last(Tunnel& tunnel) {
  const auto cause = std::find_if(causes_.rbegin(), causes_.rend(),
                                  [&](const PacedClosing& one) { return one.takes(tunnel); });
  if (cause == causes_.rend()) return nullptr;
  cause->join(tunnel);
  return &*cause;
}

// Those that wait nowhere. All of them take their places before the first one goes.
void Closings::offer(const std::vector<Tunnel*>& tunnels) {
  for (Tunnel* const tunnel : tunnels) join_last(*tunnel);
  for (PacedClosing& cause : causes_) cause.go_on();
}

End Closings::end_of(const ClosingPlan& plan) {
  // Beyond so many others are told the usual text of the reason.
  const bool is_known = texts_.contains(plan.close_reason);
  if (!is_known && texts_.size() >= kTextsMax)
    return {.reason = plan.reason, .close_code = plan.close_code};
  return {.reason = plan.reason,
          .close_code = plan.close_code,
          .detail = *texts_.insert(plan.close_reason).first};
}

std::vector<Tunnel*> Closings::open_ones(const PacedClosing::Takes& takes) {
  std::vector<Tunnel*> open;
  connections_.for_each([&](Connection& connection) {
    Tunnel* const tunnel = connection.tunnel();
    if (tunnel == nullptr || !tunnel->is_open() || tunnel->is_closing()) return;
    if (takes(*tunnel)) open.push_back(tunnel);
  });
  return open;
}

}  // namespace gateway
