// What a run must have left when nobody is there any more: nothing.
#include <algorithm>
#include <map>
#include <string_view>

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
  for (unsigned index = 0; index < shards_.size(); ++index) {
    ShardHost& host = shards_[index];
    const gateway::Shard& shard = *host.shard;
    const std::string& who = host.log->source();
    const std::size_t armed = 1 + listening_.count(index);
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
  judge_orphans();
  judge_servers();
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
    for (const gateway::config::Server& server : pool.servers) {
      const auto requests = registry_.server(pool.name, server.text)->count();
      if (requests != 0) chronicle.fail("world", "{} has {} requests", server.text, requests);
      const auto websockets = registry_.server(pool.name, server.text)->count_websockets();
      if (websockets != 0) chronicle.fail("world", "{} has {} WebSockets", server.text, websockets);
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
      if (!line.websocket) continue;
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

void World::judge_end() {
  judge_stop();
  judge_counters();
  Chronicle& chronicle = stage_.chronicle;
  for (ShardHost& host : shards_) {
    if (!host.ended) chronicle.fail(host.log->source(), "has not ended");
    if (host.shard->loop().in_flight() != 0)
      chronicle.fail(host.log->source(), "has requests left");
  }
  for (ShardHost& host : shards_) host.shard.reset();
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
