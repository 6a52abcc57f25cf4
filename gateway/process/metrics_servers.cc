// What is known of servers and pools, as metrics.
#include <set>

#include "gateway/process/merged.hh"
#include "gateway/process/metrics_parts.hh"

namespace gateway {
namespace {

using Type = MetricsText::Type;
using Servers = Merged<ServerTraffic>;

std::string class_name(std::size_t status_class) {
  return status_class == 0 ? "none" : std::to_string(status_class) + "xx";
}

void add_causes(MetricsText& to, const Servers& all, auto tally_of) {
  for (const auto& [labels, parts] : all.entries()) {
    const auto labels_of = [&its = labels](std::uint32_t key) {
      return its.with("cause", policy_of(static_cast<Reason>(key)).word);
    };
    add_tally(to, parts, tally_of, labels_of, labels.with("cause", "other"));
  }
}

// A server as it is now; one that its pool has no more, but that has something under way, is
// "removed".
struct Row {
  MetricLabels labels;
  std::shared_ptr<const ServerState> state;
  std::string_view word;
};

constexpr std::array<std::string_view, 6> kWords = {"up",      "down",     "ejected",
                                                    "leaving", "draining", "removed"};

std::vector<Row> rows_of(const MetricsFacts& facts) {
  std::vector<Row> rows;
  for (const config::Pool& pool : facts.generation.config.pools) {
    if (!facts.lists.has(pool.name)) continue;
    const auto labels_of = [&](std::string_view server) {
      return MetricLabels().add("pool", pool.name).add("server", server);
    };
    std::set<std::string_view> known;
    for (const config::Server& server : facts.lists.servers_of(pool.name)) {
      if (!known.insert(server.text).second) continue;
      auto state = facts.drains.state_of(pool.name, server.text);
      const std::string_view word = state->draining() ? "draining" : state->health.word();
      rows.push_back({labels_of(server.text), std::move(state), word});
    }
    facts.lists.for_each_gone(pool.name, [&](const std::string& server, const ServerState& state) {
      if (!known.insert(server).second) return;
      auto held = facts.drains.state_of(pool.name, server);
      if (held.get() == &state) rows.push_back({labels_of(server), std::move(held), "removed"});
    });
  }
  return rows;
}

void add_states(MetricsText& to, const std::vector<Row>& rows) {
  to.begin(Type::kGauge, "gateway_server_state",
           "1 for the state that the server is in, 0 for the others.");
  for (const Row& row : rows) {
    for (const std::string_view word : kWords) {
      to.add(row.labels.with("state", word), std::uint64_t{row.word == word ? 1u : 0u});
    }
  }
  const auto add = [&](Type type, std::string_view name, std::string_view help, auto number_of) {
    to.begin(type, name, help);
    for (const Row& row : rows) to.add(row.labels, std::uint64_t{number_of(*row.state)});
  };
  add(Type::kGauge, "gateway_server_requests_under_way", "Requests that the server has.",
      [](const ServerState& state) {
        const std::uint32_t all = state.count(), websockets = state.count_websockets();
        return all > websockets ? all - websockets : 0;
      });
  add(Type::kGauge, "gateway_server_websockets_open", "WebSockets that the server has.",
      [](const ServerState& state) { return state.count_websockets(); });
  add(Type::kGauge, "gateway_server_connections_kept",
      "Connections to the server that are kept for the next request.",
      [](const ServerState& state) { return state.kept.load(std::memory_order_relaxed); });
  add(Type::kCounter, "gateway_server_downs", "Times that checks have found the server down.",
      [](const ServerState& state) { return state.health.downs(); });
  add(Type::kCounter, "gateway_server_ejections", "Times that the server was ejected.",
      [](const ServerState& state) { return state.health.ejections(); });
}

void add_pools(MetricsText& to, const MetricsFacts& facts) {
  const auto& pools = facts.generation.config.pools;
  to.begin(Type::kGauge, "gateway_pool_waiting",
           "Requests that wait for a server: queued for a place, or held since none is up.");
  for (const config::Pool& pool : pools) {
    const auto state = facts.registry.pool(pool.name);
    const MetricLabels labels = MetricLabels().add("pool", pool.name);
    to.add(labels.with("for", "place"), std::uint64_t{state->count(Waiting::kQueued)});
    to.add(labels.with("for", "server"), std::uint64_t{state->count(Waiting::kHeld)});
  }
  to.begin(Type::kGauge, "gateway_pool_upgrades_under_way",
           "Handshakes of WebSockets that servers of the pool have not answered yet.");
  for (const config::Pool& pool : pools) {
    to.add(MetricLabels().add("pool", pool.name),
           std::uint64_t{facts.registry.pool(pool.name)->upgrades()});
  }
}

}  // namespace

void add_server_traffic(MetricsText& to, const CountersOfShards& shards) {
  const Servers all(shards, &Counters::servers, {"pool", "server"});
  const auto add = [&](std::string_view name, std::string_view help, auto number_of) {
    to.begin(Type::kCounter, name, help);
    for (const auto& [labels, parts] : all.entries()) to.add(labels, sum_of(parts, number_of));
  };
  to.begin(Type::kCounter, "gateway_server_requests",
           "Requests that have ended and were last sent to this server, WebSockets excepted.");
  for (const auto& [labels, parts] : all.entries()) {
    for (std::size_t at = 0; at < Traffic().answered.size(); ++at) {
      const std::uint64_t count =
          sum_of(parts, [&](const auto& one) { return one.answered[at].value(); });
      if (count > 0) to.add(labels.with("code", class_name(at)), count);
    }
  }
  to.begin(Type::kCounter, "gateway_server_failures",
           "Requests and WebSockets that ended by the server's fault.");
  add_causes(
      to, all, [](const auto& one) -> const auto& { return one.failures; });
  add("gateway_server_connections_opened", "Connections that were dialled, in vain or not.",
      [](const auto& one) { return one.connections_opened.value(); });
  add("gateway_server_connections_reused", "Kept connections that got another request.",
      [](const auto& one) { return one.connections_reused.value(); });
  to.begin(Type::kCounter, "gateway_server_connection_failures",
           "Connections that failed, or took longer than they may, before they were there.");
  add_causes(
      to, all, [](const auto& one) -> const auto& { return one.connect_failures; });

  to.begin(Type::kCounter, "gateway_server_tls_handshakes", "TLS handshakes with servers.");
  std::vector<const UpstreamTraffic*> upstreams;
  for (const Counters* const shard : shards) upstreams.push_back(&shard->upstreams);
  add_tally(
      to, upstreams, [](const auto& one) -> const auto& { return one.handshakes; },
      [](std::uint32_t key) { return labels_of_handshake({}, key); },
      MetricLabels().add("resumed", "other").add("version", "other").add("group", "other"));
  to.begin(Type::kHistogram, "gateway_server_connect_seconds",
           "Time until a connection to a server was there, with TLS where it has that.");
  add_histogram(
      to, {}, upstreams, [](const auto& one) -> const auto& { return one.connect; });
  to.begin(Type::kHistogram, "gateway_queue_seconds",
           "Time for which requests waited for a server, in vain or not.");
  add_histogram(
      to, {}, upstreams, [](const auto& one) -> const auto& { return one.queue; });
}

void add_servers(MetricsText& to, const MetricsFacts& facts) {
  add_states(to, rows_of(facts));
  add_pools(to, facts);
}

}  // namespace gateway
