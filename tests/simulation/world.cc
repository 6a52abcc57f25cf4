#include "tests/simulation/world.hh"

#include <algorithm>

#include "tests/simulation/generations.hh"

namespace simulation {
namespace {

constexpr std::size_t kLogBytes = 1 << 20;
// What no run of a plan takes: a loop that goes round for nothing.
constexpr std::uint64_t kRoundsMax = 3'000'000;
// What the gateway waits for at its stop, less what a completion may be late.
constexpr milliseconds kHandshakes = gateway::LeavingListeners::kHandshakeTime - milliseconds(30);
// From here on everybody is at rest, a bulk receive's reservation included.
constexpr milliseconds kQuiet{2300};
constexpr milliseconds kGrain{9};

}  // namespace

World::World(const Scenario& scenario, std::FILE* told_to)
    : generation_(read_generation(1, scenario.routes_override)),
      stage_(scenario, told_to),
      log_reader_(stage_) {
  stage_.system->stepped = true;
  started_ = stage_.now();
  for (const Site& site : kSites)
    stage_.system->sites.emplace(site.address, SimulatedSystem::Site{});
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
  const SimulationOptions calm{.calm = true};
  main_ = std::make_unique<MainThread>(scenario.seed, calm, stage_.system, scenario.shards);
  shards_.resize(scenario.shards);
  for (unsigned index = 0; index < scenario.shards; ++index) build_shard(index);
  descriptors_->set_capacity(scenario.descriptors, 0, scenario.shards + 1);
  std::vector<gateway::AdoptOrder> orders = first_orders();
  for (unsigned index = 0; index < scenario.shards; ++index) {
    shards_[index].shard->begin_with(std::move(orders[index]));
    shards_[index].shard->begin();
  }
}

// The Unix socket is accepted by the first shard.
std::vector<gateway::AdoptOrder> World::first_orders() {
  std::vector<gateway::AdoptOrder> orders(shards_.size(), gateway::AdoptOrder{generation_, {}});
  for (std::size_t port = 0; port < generation_->config.listeners.size(); ++port) {
    const gateway::config::Address& address = generation_->config.listeners[port].address;
    std::vector<std::shared_ptr<gateway::HandedOver>> takers;
    for (std::size_t index = 0; index < shards_.size(); ++index) {
      gateway::ListeningSocket socket{address, shards_[index].listening[port], nullptr, {}};
      if (address.is_unix()) {
        takers.push_back(shards_[index].shard->make_handed_over());
        socket.handed_over = takers.back();
      }
      orders[index].added.push_back(std::move(socket));
    }
    orders.front().added.back().takers = std::move(takers);
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
  host.listening.push_back(host.kernel->open_listener());
  host.listening.push_back(index == 0 ? host.kernel->open_listener(true) : -1);
  host.listening.push_back(host.kernel->open_listener());
  auto shard = gateway::Shard::create({.index = index,
                                       .count = scenario.shards,
                                       .tickets = tickets_,
                                       .registry = registry_,
                                       .descriptors = *descriptors_,
                                       .log = gateway::Log(*host.log, gateway::LogLevel::debug),
                                       .reports = main_->reports(),
                                       .receive_buffers = scenario.buffers},
                                      *host.kernel);
  if (!shard) stage_.chronicle.fail("world", "no shard: {}", shard.error());
  host.shard = std::move(*shard);
}

Stream World::come(const ClientPlan& plan) {
  const Entry entry = plan.entry();
  ShardHost& host =
      entry == Entry::kUnix ? shards_.front() : shards_[stage_.dice.between(0, shards_.size() - 1)];
  const int listening = host.listening[static_cast<std::size_t>(entry)];
  // Whose TCP handshake had begun before the stop.
  const bool on_its_way = entry != Entry::kUnix && listening >= 0 && !stage_.cut &&
                          stage_.now() < stopped_at_ + kHandshakes;
  if (stage_.stopping && !on_its_way) return nullptr;
  ++connections_;
  Stream stream = host.kernel->come_to(listening);
  stream->come_from(port_of(plan.number));
  return stream;
}

bool World::run() {
  const auto all_over = [&] { return std::ranges::all_of(clients_, &SimulatedClient::over); };
  run_until(all_over, milliseconds(300'000));
  clients_left_ = true;
  if (!stage_.stopping && stage_.chronicle.failures() == 0) judge_rest();
  if (!stage_.stopping) stop();
  const auto ended = [&] { return main_->loop().stopped(); };
  if (stage_.chronicle.failures() == 0 && run_until(ended, milliseconds(30'000))) judge_end();
  return stage_.chronicle.failures() == 0 && !testing::Test::HasFailure();
}

template <class Condition>
bool World::run_until(Condition condition, milliseconds most) {
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
  const bool acted = act();
  const bool turned = turn_shards();
  return acted || turned;
}

bool World::act() {
  bool did = false;
  for (SimulatedClient& client : clients_) did |= client.act();
  for (auto server = servers_.begin(); server != servers_.end();) {
    did |= server->act();
    server = server->over() ? servers_.erase(server) : std::next(server);
  }
  if (did) acted_at_ = stage_.now();
  return did;
}

bool World::turn_shards() {
  bool turned = false;
  for (ShardHost& host : shards_) {
    if (host.ended || !host.kernel->due()) continue;
    turn_shard(host);
    turned = true;
  }
  if (!main_->loop().stopped() && main_->kernel().due()) {
    main_->loop().turn();
    turned = true;
  }
  if (main_->all_drained()) close_listening();
  return turned;
}

void World::turn_shard(ShardHost& host) {
  host.shard->loop().turn();
  if (host.shard->loop().stopped()) {
    host.shard->loop().turn();  // as Loop::run(): what was prepared last
    host.shard->finish();
    host.ended = true;
  }
  log_reader_.drain(*host.log);
}

void World::meet_servers() {
  for (const Site& place : kSites) {
    SimulatedSystem::Site& site = *stage_.system->site_at(std::string(place.address));
    for (; !site.arrived.empty(); site.arrived.pop_front()) {
      servers_.emplace_back(stage_, place.pool, site.arrived.front(), servers_met_++);
      ++connections_;
    }
  }
}

void World::give_orders() {
  const Scenario& scenario = stage_.scenario;
  const Time now = stage_.now();
  if (stop_is_to_come() && now >= started_ + *scenario.stop_at) stop();
  if (cut_is_to_come() && now >= started_ + *scenario.cut_at) cut();
  if (adoption_is_to_come() && now >= started_ + scenario.adopts_at[adoptions_]) adopt();
}

void World::stop() {
  stage_.chronicle.note("world", "stops");
  stage_.stopping = true;
  stopped_at_ = stage_.now();
  tell_shards(gateway::StopOrder{});
}

void World::cut() {
  stage_.chronicle.note("world", "cuts");
  stage_.cut = true;
  tell_shards(gateway::CutOrder{});
}

void World::adopt() {
  earlier_.emplace_back(generation_);
  generation_ = read_generation(generation_->number + 1, stage_.scenario.routes_override);
  ++adoptions_;
  stage_.chronicle.note("world", "has generation {}", generation_->number);
  tell_shards(gateway::AdoptOrder{generation_, {}});
}

// A shard that refuses has ended.
void World::tell_shards(const gateway::Order& order) {
  for (ShardHost& host : shards_) (void)host.shard->orders().post(order);
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
  for (const ShardHost& host : shards_) {
    if (!host.ended) next = std::min(next, host.kernel->next_event());
  }
  if (!main_->loop().stopped()) next = std::min(next, main_->kernel().next_event());
  if (stop_is_to_come()) next = std::min(next, started_ + *scenario.stop_at);
  if (cut_is_to_come()) next = std::min(next, started_ + *scenario.cut_at);
  if (adoption_is_to_come()) next = std::min(next, started_ + scenario.adopts_at[adoptions_]);
  return next;
}

// All shards have said that they look at the listening sockets no more.
void World::close_listening() {
  for (ShardHost& host : shards_) {
    for (int& descriptor : host.listening) {
      if (descriptor < 0) continue;
      auto& waiting = stage_.system->descriptors.at(descriptor).waiting;
      const bool excused = (stage_.scenario.faults & kShortage) != 0;
      if (!waiting.empty() && !excused) {
        stage_.chronicle.fail("world", "a client that was let in is left behind");
      }
      for (const Stream& stream : waiting) stream->local_close(true);
      main_->kernel().close(descriptor);
      descriptor = -1;
    }
  }
}

void World::look_for_waiting() {
  // Few descriptors: one client waits until others have gone.
  const milliseconds most = stage_.scenario.crowded() ? 10 * Limits::kPatience : Limits::kPatience;
  for (const SimulatedClient& client : clients_) {
    if (client.has_waited(most)) stage_.chronicle.fail(client.name(), "waits for ever");
  }
}

// Nothing has come or gone for a while: whoever is idle, or waits, holds nothing of what is shared.
void World::judge_quiet() {
  const auto owed = [](const auto& actor) { return actor.owes(); };
  if (std::ranges::any_of(clients_, owed) || std::ranges::any_of(servers_, owed)) return;
  Chronicle& chronicle = stage_.chronicle;
  for (ShardHost& host : shards_) {
    if (host.ended) continue;
    const std::string& who = host.log->source();
    const gateway::Shard& shard = *host.shard;
    if (shard.receive_buffers().lent() != 0) chronicle.fail(who, "lends buffers, all quiet");
    if (shard.batches().committed() != 0) {
      chronicle.fail(who, "has committed {} bytes, all quiet", shard.batches().committed());
    }
    if (shard.batches().in_use() != 0) {
      chronicle.fail(who, "uses {} bytes of batches, all quiet", shard.batches().in_use());
    }
  }
}

// Nobody is there any more, and whatever may be kept for a while is given up.
void World::judge_rest() {
  const auto quiet = [&] {
    const bool due =
        std::ranges::any_of(shards_, [](ShardHost& host) { return host.kernel->due(); });
    return !due && next_event() == kNever;
  };
  if (!run_until(quiet, milliseconds(60'000))) return;
  Chronicle& chronicle = stage_.chronicle;
  std::size_t bells_and_listeners = 1;  // of the main thread
  for (ShardHost& host : shards_) {
    const gateway::Shard& shard = *host.shard;
    const std::string& who = host.log->source();
    const std::size_t armed = 3u + (&host == &shards_.front() ? 1u : 0u);
    bells_and_listeners += armed;
    if (shard.connections() != 0) chronicle.fail(who, "has {} clients", shard.connections());
    if (shard.receive_buffers().lent() != 0) chronicle.fail(who, "has lent buffers");
    if (shard.batches().committed() != 0) {
      chronicle.fail(who, "has committed {} bytes", shard.batches().committed());
    }
    if (shard.batches().in_use() != 0) chronicle.fail(who, "has batches in use");
    if (host.shard->frames().in_use() != 0) {
      chronicle.fail(who, "has {} bytes of blocks in use", host.shard->frames().in_use());
    }
    if (host.kernel->requests() != armed) {
      chronicle.fail(who, "has {} requests under way", host.kernel->requests());
    }
  }
  judge_generations();
  judge_servers();
  const std::size_t open = stage_.system->descriptors.size();
  if (open != bells_and_listeners) chronicle.fail("world", "{} descriptors are open", open);
}

// The newest alone is left.
void World::judge_generations() {
  for (const auto& generation : earlier_) {
    if (const auto held = generation.lock()) {
      stage_.chronicle.fail("world", "somebody holds generation {} still", held->number);
    }
  }
}

// Those of the newest generation are known, and nobody asks anything of them.
void World::judge_servers() {
  Chronicle& chronicle = stage_.chronicle;
  std::size_t servers = 0;
  for (const gateway::config::Pool& pool : generation_->config.pools) {
    for (const gateway::config::Server& server : pool.servers) {
      const auto requests = registry_.server(pool.name, server.text)->count();
      if (requests != 0) chronicle.fail("world", "{} has {} requests", server.text, requests);
      ++servers;
    }
  }
  if (registry_.size() != servers) {
    chronicle.fail("world", "{} servers are known, not {}", registry_.size(), servers);
  }
}

void World::judge_end() {
  Chronicle& chronicle = stage_.chronicle;
  for (ShardHost& host : shards_) {
    if (!host.ended) chronicle.fail(host.log->source(), "has not ended");
    if (host.shard->loop().in_flight() != 0)
      chronicle.fail(host.log->source(), "has requests left");
  }
  for (ShardHost& host : shards_) host.shard.reset();
  main_.reset();
  judge_generations();
  if (generation_.use_count() != 1) chronicle.fail("world", "the newest generation is held still");
  if (registry_.size() != 0) chronicle.fail("world", "{} servers are known", registry_.size());
  const std::size_t open = stage_.system->descriptors.size();
  if (open != 0) chronicle.fail("world", "{} descriptors are left", open);
  for (const SimulatedClient& client : clients_) client.judge_log();
}

}  // namespace simulation
