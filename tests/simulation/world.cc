#include "tests/simulation/world.hh"

#include <algorithm>
#include <utility>

namespace simulation {
namespace {

constexpr std::size_t kLogBytes = 1 << 20;
// What no run of a plan takes: a loop that goes round for nothing.
constexpr std::uint64_t kRoundsMax = 3'000'000;
// From here on everybody is at rest, a bulk receive's reservation included.
constexpr milliseconds kQuiet{2300};
constexpr milliseconds kGrain{9};
constexpr std::size_t kMemory = std::size_t{1} << 40;
// Of the table of addresses.
constexpr std::size_t kAddresses = 64;
// ... where each has to find room.
constexpr std::size_t kAddressesMany = kAddresses * kHomes;
constexpr std::array<std::byte, 32> kSeed{};
// From a client's coming until it has seen the gateway's certificate, at the most.
constexpr milliseconds kCertificateTime = Limits::kTlsHandshake + milliseconds(1000);

// What a shard receives with, as it counts that itself, and what is for others.
std::size_t memory_for(const Scenario& scenario) {
  constexpr std::size_t kPlaintext = 64 * 1024;
  const uring::ReceiveBufferOptions& buffers = scenario.buffers;
  const std::size_t fixed = kPlaintext + buffers.small_count * buffers.small_bytes +
                            buffers.bulk_count * buffers.bulk_bytes;
  return scenario.memory ? scenario.shards * fixed + *scenario.memory : kMemory;
}

}  // namespace

World::World(const Scenario& scenario, std::FILE* told_to)
    : stage_(scenario, told_to),
      plan_(plan_generation(scenario, 1)),
      generation_(make_generation(plan_)),
      limits_(plan_.doors.is_strict ? kAddressesMany : kAddresses, kSeed),
      log_reader_(stage_),
      look_dice_(scenario.seed * 7919 + 20) {
  stage_.system->stepped = true;
  stage_.health = &health_;
  started_ = stage_.now();
  for (const Site& site : kSites)
    stage_.system->sites.emplace(site.address, SimulatedSystem::Site{});
  stage_.system->sites.emplace(kAuthAddress, SimulatedSystem::Site{});
  stage_.system->sites.at(std::string(kRefusing)).answer =
      scenario.unreachable_refuses ? ECONNREFUSED : SimulatedKernel::kNoAnswer;
  build();
  Gate& gate = *this;
  for (const ClientPlan& plan : scenario.clients) clients_.emplace_back(stage_, gate, plan);
}

// What has gone wrong in the middle cannot be taken down in order.
World::~World() {
  if (main_ == nullptr) return;
  for (ShardHost& host : shards_) {
    (void)host.shard.release();
    (void)host.kernel.release();
  }
  (void)main_.release();
}

void World::build() {
  const Scenario& scenario = stage_.scenario;
  descriptors_.emplace(scenario.shards);
  balance_.emplace(scenario.shards);
  const SimulationOptions calm{.calm = true};
  main_ = std::make_unique<MainThread>(scenario.seed, calm, stage_.system, scenario.shards);
  main_log_ = std::make_unique<gateway::LogRing>("main", kLogBytes);
  drain_.emplace(main_->loop(), gateway::Log(*main_log_, gateway::LogLevel::debug),
                 static_cast<gateway::Drained&>(*this));
  shards_.resize(scenario.shards);
  for (unsigned index = 0; index < scenario.shards; ++index) build_shard(index);
  descriptors_->set_capacity(scenario.descriptors, 0, scenario.shards + 1);
  const std::vector<gateway::PoolServers> servers = lists_of_generation();
  std::vector<gateway::AdoptOrder> orders = make_orders();
  for (unsigned index = 0; index < scenario.shards; ++index) {
    orders[index].servers = servers;
    shards_[index].shard->begin_with(std::move(orders[index]));
    shards_[index].shard->begin();
    // Of few clients who leave at once some wait here, too.
    if (scenario.seed % 2 == 0) shards_[index].shard->loop().limit_endings(1);
  }
}

std::vector<gateway::AdoptOrder> World::make_orders() {
  std::vector<Listening::Host> hosts;
  for (const ShardHost& host : shards_) hosts.push_back({*host.kernel, *host.shard});
  std::vector<gateway::AdoptOrder> orders;
  for (auto& added : listening_.open(plan_.listens, hosts)) {
    orders.push_back({generation_, std::move(added)});
  }
  return orders;
}

void World::build_shard(unsigned index) {
  const Scenario& scenario = stage_.scenario;
  ShardHost& host = shards_[index];
  const SimulationOptions options{
      .byte_cap = scenario.byte_cap, .window = scenario.window, .faults = scenario.faults};
  const std::uint64_t seed = (scenario.seed * 64 + index) * 64 + scenario.salt + 1;
  host.kernel = std::make_unique<SimulatedKernel>(seed, options, stage_.system);
  host.log = std::make_unique<gateway::LogRing>("shard " + std::to_string(index), kLogBytes);
  auto shard = gateway::Shard::create({.index = index,
                                       .count = scenario.shards,
                                       .tickets = tickets_,
                                       .registry = registry_,
                                       .descriptors = *descriptors_,
                                       .limits = limits_,
                                       .balance = *balance_,
                                       .memory = memory_,
                                       .memory_usual_bytes = memory_for(scenario),
                                       .log = gateway::Log(*host.log, gateway::LogLevel::debug),
                                       .reports = main_->reports(),
                                       .receive_buffers = scenario.buffers},
                                      *host.kernel);
  if (!shard) stage_.chronicle.fail("world", "no shard: {}", shard.error());
  host.shard = std::move(*shard);
}

Stream World::come(const ClientPlan& plan) {
  const auto shard = static_cast<unsigned>(stage_.dice.between(0, shards_.size() - 1));
  Stream stream = listening_.let_in(plan.entry(), shard, *shards_[shard].kernel);
  if (stream == nullptr) return nullptr;
  ++connections_;
  stream->come_from(port_of(plan.number), peer_of(plan));
  return stream;
}

// Behind PROXY headers all come from one address.
std::uint32_t World::peer_of(const ClientPlan& plan) const {
  const Scenario& scenario = stage_.scenario;
  return address_of_home(scenario.proxied ? 0 : home_of(scenario, plan.number));
}

// Who is certain to be served by the newest generation trusts in its certificate alone.
Trust World::trust() const {
  const Scenario& scenario = stage_.scenario;
  const bool waits_for_long = scenario.crowded() || (scenario.faults & kShortage) != 0;
  const bool changes_soon = adoption_is_to_come() && stage_.now() + kCertificateTime >=
                                                         started_ + scenario.adopts_at[adoptions_];
  if (waits_for_long || changes_soon || stage_.adopted < stage_.newest) return Trust::kBoth;
  return plan_.other_certificate ? Trust::kOther : Trust::kUsual;
}

bool World::run() {
  const auto all_over = [&] { return std::ranges::all_of(clients_, &SimulatedClient::over); };
  run_until(all_over, milliseconds(300'000));
  clients_left_ = true;
  if (!drain_->begun()) end_checks();
  if (!drain_->begun() && stage_.chronicle.failures() == 0) judge_rest();
  if (!drain_->begun()) stop();
  const auto ended = [&] { return main_->loop().stopped(); };
  if (stage_.chronicle.failures() == 0 && run_until(ended, milliseconds(30'000))) judge_end();
  return stage_.chronicle.failures() == 0 && !testing::Test::HasFailure();
}

bool World::run_until(const std::function<bool()>& condition, milliseconds most) {
  const Time latest = stage_.now() + most;
  while (!condition()) {
    if (stage_.chronicle.failures() > 0 || testing::Test::HasFailure()) return false;
    if (++rounds_ > kRoundsMax) {
      stage_.chronicle.fail("world", "goes round and round");
      return false;
    }
    if (step()) continue;
    look_for_waiting();
    if (stage_.now() > latest || !jump()) {
      const bool late = stage_.now() > latest;
      stage_.chronicle.fail("world", "{}", late ? "takes too long" : "stands still");
      return false;
    }
  }
  return true;
}

bool World::step() {
  give_orders();
  meet_servers();
  std::erase_if(lists_, [](const List& list) { return list.servers.expired(); });
  while (oldest_ < stage_.newest && earlier_[oldest_ - 1].expired()) ++oldest_;
  const bool acted = act();
  const bool turned = turn_shards();
  call_reserves();
  return acted || turned;
}

bool World::act() {
  bool did = false;
  for (SimulatedClient& client : clients_) did |= client.act();
  for (auto server = servers_.begin(); server != servers_.end();) {
    did |= server->act();
    server = server->over() ? servers_.erase(server) : std::next(server);
  }
  for (SimulatedAuthServer& guard : guards_) did |= guard.act();
  std::erase_if(guards_, [](const SimulatedAuthServer& guard) { return guard.over(); });
  if (did) acted_at_ = stage_.now();
  return did;
}

bool World::turn_shards() {
  bool turned = false;
  for (ShardHost& host : shards_) {
    if (host.ended || !host.kernel->due()) continue;
    turn_shard(host);
    judge_care();
    turned = true;
  }
  if (!main_->loop().stopped() && main_->kernel().due()) {
    main_->loop().turn();
    turned = true;
  }
  judge_limits();
  note_reports();
  judge_health();
  return turned;
}

// The main thread closes what no shard looks at any more.
void World::note_reports() {
  if (main_->adoptions() == adoptions_ * stage_.scenario.shards) {
    stage_.adopted = stage_.newest;
    listening_.close_all_but(plan_.listens, main_->kernel());
  }
  note_looked();
  if (main_->all_drained()) listening_.close_all_but({}, main_->kernel());
}

void World::turn_shard(ShardHost& host) {
  const bool is_strict = plan_.doors.is_strict;
  const bool leads = plan_.rebalance.is_wanted && &host == &shards_.front();
  const std::size_t begun = stage_.rebalances.all.size();
  const std::size_t surplus = leads ? surplus_at_most() : 0;
  if (is_strict) doors_.begin_turn(*host.shard);
  const auto index = static_cast<unsigned>(&host - shards_.data());
  live_.begin_turn(index);
  host.shard->loop().turn();
  if (is_strict) doors_.end_turn(*host.shard, *host.kernel, oldest_);
  if (host.shard->loop().stopped()) {
    host.shard->loop().turn();  // as Loop::run(): what was prepared last
    host.shard->finish();
    host.ended = true;
  }
  live_.end_turn(index);
  log_reader_.drain(*host.log);
  if (leads && !host.ended) judge_rebalance(begun, surplus);
}

void World::meet_servers() {
  for (const Site& place : kSites) {
    SimulatedSystem::Site& site = *stage_.system->site_at(std::string(place.address));
    for (; !site.arrived.empty(); site.arrived.pop_front()) {
      judge_arrival(place);
      servers_.emplace_back(stage_, place, site.arrived.front(), servers_met_++);
      ++connections_;
    }
  }
  auto& asking = stage_.system->site_at(std::string(kAuthAddress))->arrived;
  for (; !asking.empty(); asking.pop_front()) {
    guards_.emplace_back(stage_, asking.front(), servers_met_++);
    ++connections_;
  }
}

// Nobody dials where no server is in any generation that is in use. What has been dialled by the
// last turn may have been let go of in it.
void World::judge_arrival(const Site& place) {
  if (!stage_.scenario.lists.empty()) {
    if (!is_listed(place))
      stage_.chronicle.fail("world", "{} is dialled, which no list has", place.address);
    return;
  }
  for (std::uint64_t number = oldest_; number <= stage_.newest; ++number) {
    if (plan_generation(stage_.scenario, number).has_server(place.address)) return;
  }
  stage_.chronicle.fail("world", "{} is dialled, which no generation has", place.address);
}

bool World::jump() {
  Time next = next_event();
  if (next == kNever) return false;
  const Time quiet_from = acted_at_ + kQuiet;
  if (stage_.now() < quiet_from && next > quiet_from) {
    stage_.system->now = quiet_from;
    judge_quiet();
    return true;
  }
  next = std::max(next, stage_.now() + microseconds(1));
  if ((stage_.scenario.faults & kCoarseTime) != 0) {
    next = started_ + ((next - started_) / kGrain + 1) * kGrain;
  }
  const bool may_jump = (stage_.scenario.faults & kTimeJumps) != 0 && next >= jumps_from_;
  if (may_jump && stage_.dice.chance(5)) {
    next += milliseconds(stage_.dice.between(1, 300));
    jumps_from_ = next + milliseconds(3000);
    stage_.chronicle.note("world", "stood still for a while");
  }
  stage_.system->now = next;
  return true;
}

Time World::next_event() const {
  const Scenario& scenario = stage_.scenario;
  Time next = kNever;
  for (const SimulatedClient& client : clients_) next = std::min(next, client.next());
  for (const SimulatedServer& server : servers_) next = std::min(next, server.next());
  for (const SimulatedAuthServer& guard : guards_) next = std::min(next, guard.next());
  for (const ShardHost& host : shards_) {
    if (!host.ended) next = std::min(next, host.kernel->next_event());
  }
  if (!main_->loop().stopped()) next = std::min(next, main_->kernel().next_event());
  if (stop_is_to_come()) next = std::min(next, started_ + *scenario.stop_at);
  if (cut_is_to_come()) next = std::min(next, started_ + *scenario.cut_at);
  if (adoption_is_to_come()) next = std::min(next, started_ + scenario.adopts_at[adoptions_]);
  if (list_is_to_come()) next = std::min(next, started_ + scenario.lists[lists_changed_].at);
  if (drain_is_to_come()) next = std::min(next, started_ + scenario.drains[drains_].at);
  if (undrain_is_to_come()) next = std::min(next, *undrain_at_);
  if (look_is_to_come()) next = std::min(next, next_look());
  return next;
}

}  // namespace simulation
