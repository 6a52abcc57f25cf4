#include "tools/load/find.hh"

#include <algorithm>
#include <cmath>

namespace load {
namespace {

constexpr double kCloseEnough = 1.05;
// Of what was due, in a trial that holds its rate.
constexpr double kSentShareMin = 0.98;

}  // namespace

bool holds_at(const Gate& objective, const Result& result) {
  if (result.target_unreachable || !result.generator.limits.empty()) return false;
  const Counts counts = total(result);
  const auto sent = static_cast<double>(counts.sent);
  const auto unsent = static_cast<double>(counts.unsent);
  if (sent == 0 || sent / (sent + unsent) < kSentShareMin) return false;
  return gates::holds(objective, result).value_or(false);
}

std::expected<Result, std::string> find_rate(const Gate& objective, double first,
                                             const Trial& trial) {
  double good = 0;
  double bad = 0;  // 0: none is known
  double rate = first;
  Result best;
  for (;;) {
    auto result = trial(rate);
    if (!result) return result;
    const bool interrupted = result->interrupted;
    const bool over = interrupted || result->target_unreachable;
    if (!interrupted && holds_at(objective, *result)) {
      good = rate;
      best = std::move(*result);
    } else {
      if (!interrupted) bad = rate;
      if (good == 0) best = std::move(*result);
    }
    best.interrupted = interrupted;
    const bool found = good > 0 && bad > 0 && bad / good <= kCloseEnough;
    if (over || found || good >= kFindRateMax || (bad > 0 && bad <= kFindRateMin)) break;
    if (bad == 0) {
      rate = std::min(good * 2, kFindRateMax);
    } else {
      rate = good == 0 ? std::max(bad / 2, kFindRateMin) : std::sqrt(good * bad);
    }
  }
  best.found_rate = good;
  return best;
}

}  // namespace load
