#include "tools/load/find.hh"

#include <algorithm>
#include <cmath>

namespace load {
namespace {

constexpr double kCloseEnough = 1.05;

}  // namespace

bool holds_at(const Gate& objective, const Result& result) {
  if (result.target_unreachable || result.cut_short) return false;
  if (!result.generator.limits.empty()) return false;
  const Counts counts = total(result);
  const auto in_vain = static_cast<double>(counts.lost + counts.unanswered);
  if (counts.sent == 0 || unsent_share(result) > kUnsentShareMax) return false;
  if (in_vain > kUnsentShareMax * static_cast<double>(counts.sent)) return false;
  return gates::holds(objective, result).value_or(false);
}

std::expected<Result, std::string> find_rate(const Gate& objective, double first,
                                             const Trial& trial) {
  double good = 0;
  double bad = 0;  // 0: none is known
  double rate = first;
  Result best;
  // Why the lowest rate that was too high was so, if that was the generator: then so is the answer.
  std::vector<std::string> limits;
  for (;;) {
    auto result = trial(rate);
    if (!result) return result;
    const bool interrupted = result->interrupted;
    const bool over = interrupted || result->target_unreachable;
    if (!interrupted && holds_at(objective, *result)) {
      good = rate;
      best = std::move(*result);
    } else {
      if (!interrupted) {
        bad = rate;
        limits = result->generator.limits;
      }
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
  if (good > 0 || bad > 0) best.found_rate = good;
  best.generator.limits = std::move(limits);
  return best;
}

}  // namespace load
