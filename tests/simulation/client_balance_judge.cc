// Whether a client stays with its server, as far as its cookies say.
#include "tests/simulation/client.hh"
#include "tests/simulation/generations.hh"

namespace simulation {

// Behind one that is its own, and before another one.
void SimulatedClient::choose_cookie(unsigned number) {
  const auto token = tokens_.find(plan_.requests[number].pool);
  if (token != tokens_.end()) shown_[number] = token->second;
}

std::string SimulatedClient::cookies_for(unsigned number) const {
  const auto shown = shown_.find(number);
  if (shown == shown_.end()) return "a=1; b=2";
  return fmt::format("a=1; {}={}; b=2", kStickyName, shown->second);
}

// It is given the cookie of who has answered, unless it has shown that; and who has not been
// disturbed has answered those whom he knows.
void SimulatedClient::judge_stickiness(unsigned number) {
  const PoolKind pool = plan_.requests[number].pool;
  const std::string pool_name(name_of(pool));
  const std::string* const site = reader_.field("x-site");
  const std::string* const set = reader_.field("set-cookie");
  const std::string target = target_of(plan_.number, number);
  const GenerationPlan plan = plan_generation(stage_.scenario, generation_of(reader_));
  if (!plan.is_sticky(pool)) {
    if (set != nullptr) stage_.chronicle.fail(name_, "gets a cookie for {}, \"{}\"", target, *set);
    return;
  }
  // Who has waited is sent to a server of the newest pool.
  const auto is_sticky_no_more = [&] {
    for (auto newer = generation_of(reader_) + 1; newer <= stage_.newest; ++newer) {
      if (!plan_generation(stage_.scenario, newer).is_sticky(pool)) return true;
    }
    return false;
  };
  if (set == nullptr && is_sticky_no_more()) return;
  if (site == nullptr) return stage_.chronicle.fail(name_, "does not know who answers {}", target);
  const auto shown = shown_.find(number);
  const std::string had =
      shown != shown_.end() ? stage_.sticky_names.site_of(pool_name, shown->second) : "";
  if ((set == nullptr) != (had == *site)) {
    stage_.chronicle.fail(name_, "has shown the cookie of \"{}\" and gets {} from {} for {}", had,
                          set != nullptr ? "one" : "none", *site, target);
  }
  const bool may_move = pool != PoolKind::kApp || stage_.drained.contains(pool) ||
                        stage_.may_miss_servers() || !plan.has_server(had) ||
                        plan.may_pass_over(pool) || !stage_.scenario.lists.empty();
  if (had != *site && !had.empty() && !may_move) {
    stage_.chronicle.fail(name_, "is taken from {} to {} for {}", had, *site, target);
  }
  if (set == nullptr) return;
  const auto token = token_of(*set, plan_.tls.has_value());
  if (!token) return stage_.chronicle.fail(name_, "gets the cookie \"{}\"", *set);
  if (!stage_.sticky_names.note(pool_name, *token, *site)) {
    stage_.chronicle.fail(name_, "gets a cookie of {} from {}",
                          stage_.sticky_names.site_of(pool_name, *token), *site);
  }
  tokens_[pool] = *token;
}

}  // namespace simulation
