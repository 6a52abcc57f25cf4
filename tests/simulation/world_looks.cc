// The simulated main thread's looks at the live table, and its kicks: one look at a time, in pages
// where the plan says so, and on through the stop.
#include <algorithm>

#include "tests/simulation/world.hh"

namespace simulation {

bool World::look_is_to_come() const {
  const LooksPlan& plan = stage_.scenario.looks;
  if (look_ != nullptr || plan.looks.empty()) return false;
  if (std::ranges::all_of(shards_, &ShardHost::ended)) return false;
  return page_behind_ || looks_begun_ < plan.looks.size() ||
         (stage_.stopping && looks_in_stop_ < plan.in_stop);
}

Time World::next_look() const {
  const LooksPlan& plan = stage_.scenario.looks;
  if (page_behind_) return look_again_at_;
  Time next = kNever;
  if (looks_begun_ < plan.looks.size()) next = started_ + plan.looks[looks_begun_].at;
  if (stage_.stopping && looks_in_stop_ < plan.in_stop) next = std::min(next, look_again_at_);
  return next;
}

void World::begin_look() {
  const auto& plans = stage_.scenario.looks.looks;
  const bool goes_on = page_behind_.has_value();
  if (!goes_on) {
    const bool is_due =
        looks_begun_ < plans.size() && stage_.now() >= started_ + plans[looks_begun_].at;
    look_number_ = is_due ? looks_begun_++ : looks_in_stop_++ % plans.size();
  }
  const LookPlan& plan = plans[look_number_];
  look_ = std::make_shared<gateway::LiveLook>(
      gateway::LiveLook{.query = plan.query, .kick = {}, .pages = {}, .at_once = plan.at_once});
  if (plan.as_stream) look_->query.stream = goes_on ? streams_ : ++streams_;
  if (goes_on) look_->query.after = std::exchange(page_behind_, std::nullopt);
  if (plan.by_id) look_->query.filter.id = live_.some_id(look_dice_);
  look_->pages.resize(shards_.size());
  std::optional<unsigned> kick;
  if (plan.kick && add_kick(*plan.kick)) kick = static_cast<unsigned>(look_number_);
  stage_.chronicle.note("world", "{} {}", kick ? "kicks by look" : "looks by", look_number_);
  live_.begin(look_, kick, plan.in_pages, goes_on);
  for (ShardHost& host : shards_) {
    if (host.shard->orders().post(gateway::LookOrder{look_})) ++looks_due_;
  }
}

// False: too many are under way.
bool World::add_kick(const KickPlan& plan) {
  const auto free = std::ranges::find_if(
      kicks_waiting_, [](const auto& waiting) { return waiting == nullptr || *waiting == 0; });
  if (free == kicks_waiting_.end()) return false;
  kick_waiting_ = *free = std::make_shared<gateway::ClosingCount>(1);
  gateway::ClosingPlan closing = plan_of(plan, static_cast<unsigned>(look_number_));
  closing.waiting = kick_waiting_;
  look_->kick = gateway::LiveLook::Kick{
      .name = fmt::format("kick {}", free - kicks_waiting_.begin()),
      .paced = gateway::PacedPlan(std::move(closing), stage_.scenario.shards)};
  return true;
}

void World::note_looked() {
  if (main_->looked() > looks_due_) {
    stage_.chronicle.fail("world", "{} looks are reported of {}", main_->looked(), looks_due_);
  }
  if (look_ == nullptr || main_->looked() < looks_due_) return;
  const auto behind = live_.end();
  if (stage_.scenario.looks.looks[look_number_].in_pages) page_behind_ = behind;
  // Some at once.
  look_again_at_ = stage_.now();
  if (look_dice_.chance(70)) look_again_at_ += microseconds(look_dice_.of_any_size(1, 30'000));
  if (kick_waiting_) kick_waiting_->fetch_sub(1);
  kick_waiting_.reset();
  look_.reset();
}

// Whoever was to be kicked has gone.
void World::judge_kicks() {
  for (const auto& waiting : kicks_waiting_) {
    if (waiting != nullptr && *waiting != 0)
      stage_.chronicle.fail("world", "{} wait to be kicked", waiting->load());
  }
}

// Each shard has reported each look.
void World::judge_looks() {
  live_.judge_end();
  if (look_ == nullptr && main_->looked() == looks_due_) return;
  stage_.chronicle.fail("world", "{} looks are reported, not {}", main_->looked(), looks_due_);
}

}  // namespace simulation
