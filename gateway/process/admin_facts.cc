#include "gateway/process/admin_facts.hh"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "gateway/link/end.hh"
#include "gateway/process/admin_traffic.hh"
#include "gateway/version.hh"
#include "proto/tls/leaf.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

using admin::Json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

std::string_view name_of(ServerLists::Origin origin) {
  switch (origin) {
    case ServerLists::Origin::kControl:
      return "control";
    case ServerLists::Origin::kDns:
      return "dns";
    case ServerLists::Origin::kFile:
      break;
  }
  return "file";
}

// What the shards have counted of servers.
struct ServerCounts {
  explicit ServerCounts(const Shards& shards)
      : traffic(traffics(shards, Subject::kServer)), failures(failures_of_servers(shards)) {}

  Traffics traffic;
  Failures failures;
};

Json server_json(const ServerCounts& counts, const std::string& pool, const std::string& server,
                 const ServerState& state, std::string_view word) {
  const std::size_t websockets = state.count_websockets();
  const std::size_t all = state.count();
  Json json{{"pool", pool},
            {"server", server},
            {"state", word},
            {"weight", 0},
            {"backup", false},
            {"from", nullptr},
            {"addresses", Json::array()},
            {"requests", all > websockets ? all - websockets : 0},
            {"websockets", websockets},
            {"kept", state.kept.load(std::memory_order_relaxed)},
            {"downs", state.health.downs()},
            {"ejections", state.health.ejections()}};
  const std::string name = Counters::server_name(pool, server);
  add_totals(json, counts.traffic, name);
  const auto failures = counts.failures.find(name);
  json["failures_total"] = failures == counts.failures.end() ? 0 : failures->second;
  return json;
}

Json servers_of(const AdminFacts& facts, const ServerCounts& counts, const config::Pool& pool) {
  Json servers = Json::array();
  if (!facts.lists.has(pool.name)) return servers;
  for (const config::Server& server : facts.lists.servers_of(pool.name)) {
    const auto state = facts.drains.state_of(pool.name, server.text);
    Json json = server_json(counts, pool.name, server.text, *state,
                            state->draining() ? "draining" : state->health.word());
    json["weight"] = server.weight;
    json["backup"] = server.backup;
    json["from"] = name_of(facts.lists.origin_of(pool.name, server.text));
    for (const config::Address& address : server.addresses)
      json["addresses"].push_back(address.text());
    servers.push_back(std::move(json));
  }
  // Which nobody new comes to.
  facts.lists.for_each_gone(pool.name, [&](const std::string& server, const ServerState& state) {
    servers.push_back(server_json(counts, pool.name, server, state, "removed"));
  });
  return servers;
}

Json peer_details(const LivePeer& peer) {
  return {{"frames", peer.frames},
          {"compressed_messages", peer.compressed_messages},
          {"wire_bytes_from", peer.wire_bytes_from},
          {"wire_bytes_to", peer.wire_bytes_to},
          {"pushed_back_seconds", std::chrono::duration<double>(peer.pushed_back).count()},
          {"ping_seconds", std::chrono::duration<double>(peer.last_round_trip).count()},
          {"ping_seconds_max", std::chrono::duration<double>(peer.worst_round_trip).count()}};
}

void add_details(Json& json, const LiveRow& row) {
  const LiveDetails& details = *row.details;
  json["server_name"] = text_or_null(details.server_name);
  json["tls_cipher"] = text_or_null(details.tls_cipher);
  json["tls_group"] = text_or_null(details.tls_group);
  json["tls_resumed"] = row.tls.empty() ? Json(nullptr) : Json(details.tls_resumed);
  json["client_certificate"] = text_or_null(details.client_certificate);
  json["protocol"] = text_or_null(details.protocol);
  json["closing"] = details.is_closing;
  json["generation"] = details.generation == 0 ? Json(nullptr) : Json(details.generation);
  json["from_client"] = peer_details(row.from_client);
  json["from_upstream"] = peer_details(row.from_upstream);
}

// How near the gateway is to what it can do, 0 to 1: the greatest of the shares of what is used.
double utilisation_of(const AdminFacts& facts) {
  const auto share = [](double part, double all) {
    return all > 0 ? std::clamp(part / all, 0.0, 1.0) : 0.0;
  };
  const std::uint64_t configured = facts.config().client_limits.connections;
  const std::uint64_t served = facts.descriptors.clients_max();
  return std::max(
      {facts.busy,
       share(static_cast<double>(facts.memory.bytes()), static_cast<double>(facts.memory.most())),
       share(static_cast<double>(facts.limits.connections().value()),
             static_cast<double>(configured > 0 ? std::min(configured, served) : served))});
}

}  // namespace

double now_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

Json version_json() {
  return {{"version", kVersion},
          {"wolfssl", kWolfsslVersion},
          {"liburing", kLiburingVersion},
          {"libraries_lack", kLibrariesLack.empty() ? Json(nullptr) : Json(kLibrariesLack)}};
}

Json pool_json(const AdminFacts& facts, const config::Pool& pool) {
  return {{"name", pool.name},
          {"balance", config::kBalanceNames[static_cast<std::size_t>(pool.balance.by)]},
          {"servers", servers_of(facts, ServerCounts(facts.shards), pool)}};
}

Json pools_json(const AdminFacts& facts) {
  const ServerCounts counts(facts.shards);
  Json pools = Json::array();
  for (const config::Pool& pool : facts.config().pools) {
    pools.push_back({{"name", pool.name},
                     {"balance", config::kBalanceNames[static_cast<std::size_t>(pool.balance.by)]},
                     {"servers", servers_of(facts, counts, pool)}});
  }
  return pools;
}

Json servers_json(const AdminFacts& facts) {
  const ServerCounts counts(facts.shards);
  Json servers = Json::array();
  for (const config::Pool& pool : facts.config().pools) {
    for (Json& server : servers_of(facts, counts, pool)) servers.push_back(std::move(server));
  }
  return servers;
}

Json routes_json(const AdminFacts& facts) {
  const Traffics traffic = traffics(facts.shards, Subject::kRoute);
  Json routes = Json::array();
  for (const config::Route& route : facts.config().routes) {
    const bool has_pool = !route.answer && !route.redirect;
    Json json{
        {"name", route.name},
        {"hosts", route.hosts},
        {"path", route.path},
        {"pool", has_pool ? Json(facts.config().pools[route.pool].name) : Json(nullptr)},
        {"under_way",
         facts.limits.places().of(limits::LiveCounts::Of::kRoute, identity_of(route))->value()}};
    add_totals(json, traffic, route.name);
    routes.push_back(std::move(json));
  }
  return routes;
}

Json listeners_json(const AdminFacts& facts) {
  const Traffics traffic = traffics(facts.shards, Subject::kListener);
  Json listeners = Json::array();
  for (const config::Listener& listener : facts.config().listeners) {
    const std::string address = listener.address.text();
    Json json{{"address", address},
              {"tls", listener.tls.has_value()},
              {"connections",
               facts.limits.places().of(limits::LiveCounts::Of::kListener, address)->value()}};
    add_totals(json, traffic, address);
    listeners.push_back(std::move(json));
  }
  return listeners;
}

Json limits_json(const AdminFacts& facts) {
  Json refused = Json::object();
  for (std::size_t cause = 0; cause < limits::kCauses; ++cause) {
    const auto one = static_cast<limits::Cause>(cause);
    refused[std::string(limits::name_of(one))] = facts.limits.refused(one);
  }
  limits::AddressTable& addresses = facts.limits.addresses();
  return {{"memory", {{"bytes", facts.memory.bytes()}, {"bytes_max", facts.memory.most()}}},
          {"connections",
           {{"open", facts.limits.connections().value()},
            {"max", facts.config().client_limits.connections}}},
          {"descriptors",
           {{"open", uring::open_descriptors()}, {"max", uring::raise_descriptor_limit()}}},
          {"addresses",
           {{"in_use", addresses.in_use(facts.now)},
            {"connections", addresses.connections()},
            {"uncounted", facts.limits.unknown()},
            {"size", addresses.size()}}},
          {"refused", std::move(refused)}};
}

Json certificates_json(const config::Config& config) {
  Json certificates = Json::array();
  const auto add = [&](const std::string& listener, const std::optional<config::Tls>& tls) {
    if (!tls) return;
    for (std::size_t index = 0; index < tls->pems.size(); ++index) {
      const tls::Leaf leaf = tls::leaf_of(tls->pems[index].chain);
      const bool has_file = index < tls->certificates.size();
      certificates.push_back(
          {{"listener", listener},
           {"names", leaf.names},
           {"expires", leaf.valid_until},
           {"file", has_file ? Json(tls->certificates[index].chain_path) : Json(nullptr)},
           {"staple_expires", has_file && tls->certificates[index].staple_until != 0
                                  ? Json(tls->certificates[index].staple_until)
                                  : Json(nullptr)}});
    }
  };
  for (const config::Listener& listener : config.listeners)
    add(listener.address.text(), listener.tls);
  if (config.admin.address) add(config.admin.address->text(), config.admin.tls);
  return certificates;
}

Json shards_json(const AdminFacts& facts) {
  const std::vector<double> busy = facts.shards.busy_seconds();
  Json shards = Json::array();
  facts.shards.for_each([&](const Shard& shard) {
    Json json = shard_json(shard, shards.size());
    if (shards.size() < busy.size()) json["busy_seconds"] = busy[shards.size()];
    shards.push_back(std::move(json));
  });
  return shards;
}

Json snapshot_json(const AdminFacts& facts) {
  const Totals totals = totals_of(facts.shards);
  Json ended = Json::object();
  for (std::size_t reason = 0; reason < kReasons; ++reason) {
    const std::uint64_t count = totals.websockets.ended[reason];
    if (count > 0) ended[std::string(policy_of(static_cast<Reason>(reason)).word)] = count;
  }
  Json closed = Json::object();
  for (const Party party : {Party::kClient, Party::kUpstream, Party::kGateway}) {
    Json& by = closed[std::string(gateway::name_of(party))] = Json::object();
    const auto& codes = totals.websockets.closed[static_cast<std::size_t>(party)];
    for (std::size_t close_class = 0; close_class < codes.size(); ++close_class) {
      if (codes[close_class] > 0) by[name_of_close_class(close_class)] = codes[close_class];
    }
  }
  return {{"time", now_seconds()},
          {"version", kVersion},
          {"pid", getpid()},
          {"state", facts.state},
          {"uptime_seconds", facts.uptime.count()},
          {"generation", facts.generation.number},
          {"configuration", facts.config().file},
          {"reloads",
           {{"applied", facts.reloads.applied},
            {"unchanged", facts.reloads.unchanged},
            {"failed", facts.reloads.failed}}},
          {"totals", totals_json(totals)},
          {"memory", {{"bytes", facts.memory.bytes()}, {"bytes_max", facts.memory.most()}}},
          {"descriptors",
           {{"open", uring::open_descriptors()}, {"max", uring::raise_descriptor_limit()}}},
          {"utilisation", utilisation_of(facts)},
          {"latency",
           {{"request", latency_json(facts.earlier.request, totals.request)},
            {"first_byte", latency_json(facts.earlier.first_byte, totals.first_byte)},
            {"handshake", latency_json(facts.earlier.handshake, totals.handshake)},
            {"upgrade", latency_json(facts.earlier.upgrade, totals.upgrade)}}},
          {"ended", std::move(ended)},
          {"closed", std::move(closed)},
          {"pools", pools_json(facts)},
          {"routes", routes_json(facts)},
          {"shards", shards_json(facts)}};
}

Json row_json(const LiveRow& row) {
  const auto seconds = [](std::chrono::milliseconds time) {
    return std::chrono::duration<double>(time).count();
  };
  Json json{{"id", row.id},
            {"shard", row.shard},
            {"kind", kLiveKindNames[static_cast<std::size_t>(row.kind)]},
            {"client", row.client},
            {"port", row.port},
            {"listener", row.listener},
            {"tls", text_or_null(row.tls)},
            {"age_seconds", seconds(row.age)},
            {"idle_seconds", seconds(row.idle)},
            {"requests", row.requests},
            {"request", text_or_null(row.request)},
            {"route", text_or_null(row.route)},
            {"pool", text_or_null(row.pool)},
            {"server", text_or_null(row.server)},
            {"messages_from_client", row.from_client.messages},
            {"messages_from_upstream", row.from_upstream.messages},
            {"bytes_from_client", row.from_client.bytes},
            {"bytes_from_upstream", row.from_upstream.bytes},
            {"messages_per_second", row.messages_per_second},
            {"buffered_bytes", row.buffered_bytes},
            {"pushed_back_seconds",
             seconds(row.from_client.pushed_back + row.from_upstream.pushed_back)}};
  if (row.details) add_details(json, row);
  return json;
}

}  // namespace gateway
