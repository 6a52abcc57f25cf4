// What the gateway of a run is told, and when: to stop, to cut, to adopt a generation, to drain a
// server; and whether it has stopped as it was told.
#include "tests/simulation/generations.hh"
#include "tests/simulation/world.hh"

namespace simulation {
namespace {

// What a cut may take, by a kernel that is late.
constexpr milliseconds kSlack{3000};

}  // namespace

void World::give_orders() {
  const Scenario& scenario = stage_.scenario;
  const Time now = stage_.now();
  if (stop_is_to_come() && now >= started_ + *scenario.stop_at) stop();
  if (cut_is_to_come() && now >= started_ + *scenario.cut_at) drain_->hurry();
  if (adoption_is_to_come() && now >= started_ + scenario.adopts_at[adoptions_]) adopt();
  if (list_is_to_come() && now >= started_ + scenario.lists[lists_changed_].at) change_list();
  if (drain_is_to_come() && now >= started_ + scenario.drains[drains_].at) drain_server();
  if (undrain_is_to_come() && now >= *undrain_at_) undrain_server();
  if (look_is_to_come() && now >= next_look()) begin_look();
}

void World::stop() {
  const auto& how = stage_.scenario.stop;
  stage_.chronicle.note("world", "is to stop, delay {} ms, over {} ms, hard_stop {} ms, code {}",
                        how.delay.count(), how.over.count(), how.hard_stop.count(), how.close_code);
  asked_to_stop_at_ = stage_.now();
  main_->loop().turn();  // it may have slept: now it knows the time
  drain_->begin(how);
  // As behind a signal: what is to come is known to its kernel.
  main_->loop().turn();
}

void World::announce() {
  stage_.chronicle.note("world", "is announced to stop");
  tell_shards(gateway::AnnounceOrder{});
}

void World::close_doors(const gateway::ClosingPlan& websockets) {
  stage_.chronicle.note("world", "stops");
  stage_.stopping = true;
  listening_.refuse_new_but({});
  tell_shards(gateway::StopOrder{{websockets, stage_.scenario.shards}});
}

gateway::UnderWay World::remaining() const {
  gateway::UnderWay all;
  for (const ShardHost& host : shards_) all += host.shard->under_way().now();
  return all;
}

void World::cut() {
  stage_.chronicle.note("world", "cuts");
  stage_.cut = true;
  tell_shards(gateway::CutOrder{});
}

void World::adopt() {
  earlier_.emplace_back(generation_);
  ++changes_;
  plan_ = plan_generation(stage_.scenario, ++stage_.newest);
  if (clients_left_) plan_.health = {};
  generation_ = make_generation(plan_);
  const auto& planned = stage_.scenario.orphans;
  const OrphansOver orphans = adoptions_ < planned.size() ? planned[adoptions_] : std::nullopt;
  ++adoptions_;
  stage_.chronicle.note("world", "has generation {}, which listens at {}", plan_.number,
                        plan_.listens.to_string());
  const std::vector<gateway::PoolServers> servers = lists_of_generation();
  std::vector<gateway::AdoptOrder> orders = make_orders();
  listening_.refuse_new_but(plan_.listens);
  if (orphans) close_orphans(*orphans, orders);
  for (gateway::AdoptOrder& order : orders) order.servers = servers;
  for (std::size_t index = 0; index < shards_.size(); ++index) {
    (void)shards_[index].shard->orders().post(std::move(orders[index]));
  }
}

// Which would go on for ever: whatever comes when all clients have left has none.
void World::end_checks() {
  if (!stage_.scenario.has_health || stage_.chronicle.failures() > 0) return;
  const auto is_adopted = [&] { return stage_.adopted == stage_.newest; };
  if (!run_until(is_adopted, milliseconds(10'000))) return;
  adopt();
  run_until(is_adopted, milliseconds(10'000));
}

void World::close_orphans(milliseconds over, std::vector<gateway::AdoptOrder>& orders) {
  stage_.chronicle.note("world", "closes orphans over {} ms", over.count());
  gateway::ClosingPlan plan = plan_of_orphans(over);
  plan.waiting = orphans_waiting_;
  const gateway::PacedPlan paced(std::move(plan), stage_.scenario.shards);
  for (gateway::AdoptOrder& order : orders) order.orphans = paced;
  stage_.orphaned.insert(changed_.begin(), changed_.end());
  note_gone_routes();
}

// Whose WebSockets may be orphans: what an earlier generation had the newest one has not.
void World::note_gone_routes() {
  for (std::uint64_t number = 1; number < plan_.number; ++number) {
    const GenerationPlan earlier = plan_generation(stage_.scenario, number);
    for (std::size_t at = 0; at < kSites.size(); ++at) {
      const PoolKind pool = kSites[at].pool;
      const bool has_gone = earlier.sites[at] && !plan_.sites[at];
      if (has_gone || plan_.redirects_from(pool)) stage_.orphaned.insert(pool);
    }
  }
}

void World::drain_server() {
  const DrainPlan& plan = stage_.scenario.drains[drains_++];
  const Site& site = kSites[plan.site];
  const auto server = registry_.server(std::string(name_of(site.pool)), std::string(site.address));
  stage_.chronicle.note("world", "drains {} over {} ms", site.address, plan.over.count());
  stage_.drained.insert(site.pool);
  server->set_draining(true);
  ++drain_orders_;
  if (plan.ends_after) undrain_at_ = stage_.now() + *plan.ends_after;
  tell_shards(gateway::DrainOrder{
      std::string(site.address), {server}, {plan_of(plan), stage_.scenario.shards}});
}

void World::undrain_server() {
  const Site& site = kSites[stage_.scenario.drains[drains_ - 1].site];
  stage_.chronicle.note("world", "drains {} no more", site.address);
  registry_.server(std::string(name_of(site.pool)), std::string(site.address))->set_draining(false);
  ++drain_orders_;
  undrain_at_.reset();
  tell_shards(gateway::ReviewOrder{});
}

// A shard that refuses has ended.
void World::tell_shards(const gateway::Order& order) {
  for (ShardHost& host : shards_) (void)host.shard->orders().post(order);
}

// What the last line tells is what the log has told one by one.
void World::judge_stop() {
  drain_->finish();
  Chronicle& chronicle = stage_.chronicle;
  const milliseconds most = stage_.scenario.stop.hard_stop + kSlack;
  if (main_->ended_at() > asked_to_stop_at_ + most) chronicle.fail("world", "has stopped too late");
  const gateway::StopTally& tally = main_->stopped();
  if (stage_.cut) return;
  std::size_t for_stop = 0;
  std::size_t by_gateway = 0;  // before it stopped, too
  for (const auto& [whose, trail] : stage_.trails) {
    for (const LogLine& line : trail.lines) {
      const bool counts = line.websocket || line.tunnel;
      if (counts && line.end == "stopping") ++for_stop;
      if (counts && line.by == "gateway") ++by_gateway;
    }
  }
  // Those whose frames did not reach their ends in time were cut.
  const std::size_t ended = tally.websockets_by_us + tally.cut;
  if (ended < for_stop || ended > by_gateway) {
    chronicle.fail("world", "has closed {} to {} WebSockets, not {}", for_stop, by_gateway, ended);
  }
}

}  // namespace simulation
