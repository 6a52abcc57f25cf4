#include "tests/simulation/balance_plan.hh"

#include <fmt/format.h>

namespace simulation {

BalancePlan draw_balance(Dice& dice, std::size_t pools, std::size_t sites) {
  BalancePlan plan;
  plan.pools.resize(pools);
  for (PoolBalancePlan& pool : plan.pools) {
    pool.by = static_cast<gateway::config::Balance>(dice.between(0, 3));
    pool.sticky = dice.chance(50);
    pool.starts_slowly = dice.chance(50);
  }
  plan.shares.resize(sites);
  for (SharePlan& share : plan.shares) {
    share.weight = static_cast<unsigned>(dice.between(1, 3));
    share.backup = dice.chance(25);
    share.far = dice.chance(25);
  }
  return plan;
}

std::string text_of(const PoolBalancePlan& plan) {
  std::string text = fmt::format("balance = \"{}\"\n",
                                 gateway::config::kBalanceNames[static_cast<std::size_t>(plan.by)]);
  if (plan.by == gateway::config::Balance::hash) text += "hash = \"path\"\nhash_load = 200\n";
  if (plan.sticky) text += fmt::format("sticky = {{ cookie = \"{}\" }}\n", kStickyName);
  if (plan.starts_slowly) text += "slow_start = \"1s\"\n";
  return text;
}

std::string text_of(const SharePlan& plan, std::string_view address) {
  return fmt::format("{{ address = \"{}\", weight = {}, backup = {}, zone = \"{}\" }}", address,
                     plan.weight, plan.backup, plan.far ? "far" : "near");
}

std::optional<std::string> token_of(std::string_view set_cookie, bool secure) {
  const std::string begin = fmt::format("{}=", kStickyName);
  const std::string_view end =
      secure ? "; Path=/; HttpOnly; SameSite=Lax; Secure" : "; Path=/; HttpOnly; SameSite=Lax";
  if (!set_cookie.starts_with(begin) || !set_cookie.ends_with(end)) return std::nullopt;
  set_cookie.remove_prefix(begin.size());
  set_cookie.remove_suffix(end.size());
  if (set_cookie.find(';') != set_cookie.npos) return std::nullopt;
  return std::string(set_cookie);
}

}  // namespace simulation
