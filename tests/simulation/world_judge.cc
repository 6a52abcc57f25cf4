// What a run must have left when nobody is there any more: nothing.
#include <algorithm>
#include <map>
#include <string_view>

#include "gateway/shard/orphans.hh"
#include "tests/simulation/world.hh"

namespace simulation {

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
  if (std::ranges::any_of(guards_, owed)) return;
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

// A little less than care_plan.cc says: the shards have their own clocks.
constexpr milliseconds kEjectedAtLeast{900};

// Whatever happens, no server has more than its pool lets it have, and no more wait or shake hands
// than may. How many servers are ejected is certain where no reload takes others away.
void World::judge_care() {
  for (const gateway::config::Pool& pool : generation_->config.pools) {
    if (pool.name == kAuthPool || pool.is_of_url) continue;
    unsigned kind = 0;
    while (name_of(static_cast<PoolKind>(kind)) != pool.name) ++kind;
    const CarePlan& care = plan_.care[kind];
    if (!care.is_limited() && !care.ejects()) continue;
    const auto state = registry_.pool(pool.name);
    if (care.upgrades_max > 0 && state->upgrades() > care.upgrades_max) {
      stage_.chronicle.fail("world", "{} upgrades of {}", state->upgrades(), pool.name);
    }
    if (state->count(gateway::Waiting::kQueued) > care.queue_length) {
      stage_.chronicle.fail("world", "too many wait for {}", pool.name);
    }
    std::size_t ejected = 0;
    bool is_news = false;
    for (const gateway::config::Server& server : pool.servers) {
      const auto known = registry_.server(pool.name, server.text);
      const bool is_ejected = known->health.is_ejected();
      if (is_ejected && ejected_.emplace(server.text, stage_.now()).second) is_news = true;
      if (!is_ejected) ejected_.erase(server.text);
      // Whoever has served its time may be tried, and keeps nobody else in.
      ejected += is_ejected && stage_.now() - ejected_[server.text] < kEjectedAtLeast ? 1 : 0;
      if (care.connections_max > 0 && known->slots.all() > care.connections_max) {
        stage_.chronicle.fail("world", "{} has {} at once", server.text, known->slots.all());
      }
    }
    const bool may_change = !stage_.scenario.adopts_at.empty();
    if (!may_change && is_news && ejected > std::max<std::size_t>(1, pool.servers.size() / 2)) {
      stage_.chronicle.fail("world", "{} of {} are ejected", ejected, pool.name);
    }
  }
}

// What the checks have found is what the gateway says of each server.
void World::judge_health() {
  if (!stage_.scenario.has_health) return;
  if (stage_.stopping || drain_->begun()) return health_.end();
  const Sites& listed = stage_.scenario.lists.empty() ? plan_.sites : sites_;
  health_.follow(plan_, stage_.adopted == stage_.newest, listed);
  for (std::size_t at = 0; at < kSites.size(); ++at) {
    if (!listed[at]) continue;
    const auto known =
        registry_.server(std::string(name_of(kSites[at].pool)), std::string(kSites[at].address));
    health_.judge(at, known->health.is_down());
  }
}

// Longer than anything is kept.
constexpr milliseconds kRest{30'000};

// Nobody is there any more, and whatever may be kept for a while is given up.
void World::judge_rest() {
  // Who may be asked to come again is looked for all the time.
  const Time over_at = stage_.now() + kRest;
  const auto quiet = [&] {
    if (plan_.rebalance.is_wanted) return stage_.now() >= over_at;
    const bool due =
        std::ranges::any_of(shards_, [](ShardHost& host) { return host.kernel->due(); });
    return !due && next_event() == kNever;
  };
  if (!run_until(quiet, milliseconds(60'000))) return;
  Chronicle& chronicle = stage_.chronicle;
  std::size_t bells_and_listeners = 1;  // of the main thread
  for (unsigned index = 0; index < shards_.size(); ++index) {
    ShardHost& host = shards_[index];
    const gateway::Shard& shard = *host.shard;
    const std::string& who = host.log->source();
    const std::size_t listeners = listening_.count(index);
    bells_and_listeners += 1 + listeners;
    if (shard.connections() != 0) chronicle.fail(who, "has {} clients", shard.connections());
    if (shard.receive_buffers().lent() != 0) chronicle.fail(who, "has lent buffers");
    if (shard.batches().committed() != 0) {
      chronicle.fail(who, "has committed {} bytes", shard.batches().committed());
    }
    if (shard.batches().in_use() != 0) chronicle.fail(who, "has batches in use");
    if (host.shard->frames().in_use() != 0) {
      chronicle.fail(who, "has {} bytes of blocks in use", host.shard->frames().in_use());
    }
    if (host.shard->links().handshakes_waiting != 0) {
      chronicle.fail(who, "has handshakes that wait");
    }
    // Where there is room for few a listener may ask for one client at a time.
    const std::size_t requests = host.kernel->requests();
    const std::size_t most = 1 + listeners * uring::Listener::kAcceptsInFlight;
    const bool one_by_one = stage_.scenario.crowded() && requests >= 1 + listeners &&
                            (most - requests) % (uring::Listener::kAcceptsInFlight - 1) == 0;
    if (requests != most && !(one_by_one && requests < most)) {
      chronicle.fail(who, "has {} requests under way", requests);
    }
  }
  judge_generations();
  judge_orphans();
  judge_kicks();
  judge_servers();
  judge_limits_at_rest();
  listening_.judge_mailboxes();
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

// The process has counted whom the shards have, at any moment.
void World::judge_limits() {
  std::size_t connections = 0;
  for (const ShardHost& host : shards_) connections += host.shard->connections();
  const std::uint64_t counted = limits_.connections().value();
  // Who is refused may be told so, and is counted by nobody meanwhile.
  const bool fits_all = plan_.doors.is_strict ? counted <= connections : counted == connections;
  if (!fits_all)
    stage_.chronicle.fail("world", "{} clients are counted, {} are there", counted, connections);
  if (!stage_.scenario.tight) return;
  gateway::UnderWay under_way;
  for (const ShardHost& host : shards_) under_way += host.shard->under_way().now();
  using Of = gateway::limits::LiveCounts::Of;
  std::uint64_t of_routes = 0;
  for (const gateway::config::Route& route : generation_->config.routes) {
    const auto now = limits_.places().of(Of::kRoute, gateway::identity_of(route))->value();
    of_routes += now;
    if (now > kTightConnections)
      stage_.chronicle.fail("world", "{} has {} under way", route.name, now);
  }
  // Requests that ask no server do not count.
  const bool fits =
      of_routes >= under_way.websockets && of_routes <= under_way.websockets + under_way.requests;
  if (!fits) {
    stage_.chronicle.fail("world", "routes count {} under way, of {} requests and {} WebSockets",
                          of_routes, under_way.requests, under_way.websockets);
  }
}

// Nobody is there, nobody was refused but where limits are tight, and nothing is known of anybody
// any more.
void World::judge_limits_at_rest() {
  Chronicle& chronicle = stage_.chronicle;
  // Some may have used up their rates.
  const std::size_t known = limits_.addresses().in_use(stage_.now() + std::chrono::hours(1));
  if (known != 0) chronicle.fail("world", "{} addresses are known still", known);
  const std::string refused = limits_.text_of_refused();
  if (refused != "0" && !stage_.scenario.tight && !plan_.doors.is_strict)
    chronicle.fail("world", "clients were refused: {}", refused);
  for (unsigned index = 0; index < shards_.size(); ++index) {
    const std::uint64_t load = balance_->load(index);
    if (load != 0) chronicle.fail("world", "shard {} has a load of {}", index, load);
  }
  using Of = gateway::limits::LiveCounts::Of;
  for (const gateway::config::Listener& listener : generation_->config.listeners) {
    const std::string name = listener.address.text();
    const std::uint64_t left = limits_.places().of(Of::kListener, name)->value();
    if (left != 0) chronicle.fail("world", "{} has {} clients", name, left);
  }
  for (const gateway::config::Route& route : generation_->config.routes) {
    const auto left = limits_.places().of(Of::kRoute, gateway::identity_of(route))->value();
    if (left != 0) chronicle.fail("world", "{} has {} under way", route.name, left);
  }
}

// Who has got nothing over TLS was refused, and that was counted: nobody is forgotten.
void World::judge_handshakes() {
  const std::uint64_t refused = limits_.refused(gateway::limits::Cause::kHandshakes);
  const bool excused = (stage_.scenario.faults & kShortage) != 0 || stage_.left_behind ||
                       stage_.cut || !plan_.doors.is_a_storm;
  if (!excused && stage_.lost_handshakes > refused) {
    stage_.chronicle.fail("world", "{} clients have got nothing, {} handshakes were refused",
                          stage_.lost_handshakes, refused);
  }
}

// No WebSocket waits for its turn that is not there.
void World::judge_orphans() {
  const std::size_t waiting = *orphans_waiting_;
  if (waiting != 0) stage_.chronicle.fail("world", "{} orphans wait to be closed", waiting);
}

// Those of the newest generation are known, and nobody asks anything of them.
void World::judge_servers() {
  Chronicle& chronicle = stage_.chronicle;
  std::size_t servers = 0;
  for (const gateway::config::Pool& pool : generation_->config.pools) {
    const auto state = registry_.pool(pool.name);
    const auto waiting = state->count(gateway::Waiting::kQueued) +
                         state->count(gateway::Waiting::kHeld) + state->upgrades();
    if (waiting != 0) chronicle.fail("world", "{} wait for {} still", waiting, pool.name);
    for (const gateway::config::Server& server : servers_now(pool)) {
      const auto requests = registry_.server(pool.name, server.text)->count();
      if (requests != 0) chronicle.fail("world", "{} has {} requests", server.text, requests);
      const auto websockets = registry_.server(pool.name, server.text)->count_websockets();
      if (websockets != 0) chronicle.fail("world", "{} has {} WebSockets", server.text, websockets);
      const auto slots = registry_.server(pool.name, server.text)->slots.all();
      if (slots != 0) chronicle.fail("world", "{} places at {} are taken", slots, server.text);
      ++servers;
    }
  }
  if (registry_.size() != servers) {
    chronicle.fail("world", "{} servers are known, not {}", registry_.size(), servers);
  }
}

// What has been counted of WebSockets is what the log has told of them.
void World::judge_counters() {
  Chronicle& chronicle = stage_.chronicle;
  gateway::WebSocketTotals counted;
  for (const ShardHost& host : shards_) counted.add(host.shard->websockets());
  std::map<std::string_view, std::uint64_t> told;
  std::uint64_t told_in_all = 0;
  for (const auto& [whose, trail] : stage_.trails) {
    for (const LogLine& line : trail.lines) {
      if (!line.websocket && !line.tunnel) continue;
      ++told[line.end];
      ++told_in_all;
    }
  }
  for (std::size_t reason = 0; reason < gateway::kReasons; ++reason) {
    const auto word = gateway::policy_of(static_cast<gateway::Reason>(reason)).word;
    if (counted.ended[reason] != told[word]) {
      chronicle.fail("world", "{} WebSockets are counted as {}, the log tells of {}",
                     counted.ended[reason], word, told[word]);
    }
  }
  if (counted.opened != told_in_all) {
    chronicle.fail("world", "{} WebSockets have opened, the log tells of {}", counted.opened,
                   told_in_all);
  }
}

// What routes and listeners have counted while it went through them is what was told at the end. A
// route that a newer generation does not have takes its counts along.
void World::judge_live_counters() {
  Chronicle& chronicle = stage_.chronicle;
  gateway::WebSocketTotals told;
  std::uint64_t opened = 0, open = 0, closed = 0, messages = 0, bytes = 0;
  const auto add_flow = [&](const gateway::WebSocketFlow& flow) {
    for (std::size_t at = 0; at < ws::MessageSizes::kClasses; ++at)
      messages += flow.sizes.count(at);
    bytes += flow.payload_bytes;
  };
  for (const ShardHost& host : shards_) {
    told.add(host.shard->websockets());
    for (const auto& [name, route] : host.shard->counters().routes.entries()) {
      opened += route->opened;
      open += route->open;
      closed += route->closed.others();
      route->closed.for_each([&](std::uint32_t, std::uint64_t count) { closed += count; });
      add_flow(route->from_client);
      add_flow(route->from_upstream);
    }
    for (const auto& [name, listener] : host.shard->counters().listeners.entries()) {
      if (listener->open != 0)
        chronicle.fail("world", "{} connections of {} are counted", listener->open.value(), name);
    }
  }
  if (open != 0) chronicle.fail("world", "{} WebSockets are counted as open", open);
  if (!stage_.scenario.adopts_at.empty()) return;
  const std::uint64_t told_messages = told.from_client.messages + told.from_upstream.messages;
  const std::uint64_t told_bytes =
      told.from_client.payload_bytes + told.from_upstream.payload_bytes;
  if (opened != told.opened || closed != told.opened) {
    chronicle.fail("world", "routes have counted {} WebSockets and {} ends of {}", opened, closed,
                   told.opened);
  }
  if (messages != told_messages || bytes != told_bytes) {
    chronicle.fail("world", "routes have counted {} messages of {} bytes, {} of {} were told",
                   messages, bytes, told_messages, told_bytes);
  }
}

void World::judge_end() {
  judge_stop();
  judge_looks();
  judge_kicks();
  judge_handshakes();
  judge_counters();
  judge_live_counters();
  Chronicle& chronicle = stage_.chronicle;
  for (ShardHost& host : shards_) {
    if (!host.ended) chronicle.fail(host.log->source(), "has not ended");
    if (host.shard->loop().in_flight() != 0)
      chronicle.fail(host.log->source(), "has requests left");
  }
  for (ShardHost& host : shards_) host.shard.reset();
  if (memory_.bytes() != 0)
    chronicle.fail("world", "{} bytes are counted that nobody has", memory_.bytes());
  drain_.reset();
  main_.reset();
  judge_generations();
  judge_orphans();
  listening_.judge_mailboxes();
  if (generation_.use_count() != 1) chronicle.fail("world", "the newest generation is held still");
  if (registry_.size() != 0) chronicle.fail("world", "{} servers are known", registry_.size());
  const std::size_t open = stage_.system->descriptors.size();
  if (open != 0) chronicle.fail("world", "{} descriptors are left", open);
  for (const SimulatedClient& client : clients_) client.judge_log();
}

}  // namespace simulation
