#include "tests/simulation/generations.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "gateway/config/reader.hh"
#include "tests/simulation/auth_plan.hh"
#include "tests/simulation/certificate.hh"

namespace simulation {
namespace {

// Far beyond Limits::kPatience: whoever is given so long waits for ever.
constexpr std::string_view kEndless =
    "request_body_idle = \"24h\"\nconnect = \"24h\"\nupstream_response = \"24h\"\n"
    "response_idle = \"24h\"\nwebsocket_idle = \"off\"\n";

// What nobody reaches; where limits are tight, some do.
std::string limits_of_clients(const GenerationPlan& plan) {
  if (plan.doors.is_strict) return limits_text(plan.doors);
  std::string text =
      "connections = 100000\nhandshakes_waiting = 100000\n[limits.address]\n"
      "connections = 100000\nconnections_per_second = 1000000\n"
      "handshakes_per_second = 1000000\n";
  text += plan.tight ? "requests_per_second = 20\nburst = \"200ms\"\n"
                     : "requests_per_second = 1000000\n";
  if (plan.tight) text += fmt::format("[defaults.limits]\nconnections = {}\n", kTightConnections);
  return text;
}

constexpr const char* kField = "X-Generation";

std::string milliseconds_of(std::string_view key, milliseconds value) {
  return fmt::format("{} = \"{}ms\"\n", key, value.count());
}

std::string timeouts_of_routes(const GenerationPlan& plan) {
  const auto line = [&](std::string_view key, milliseconds limit) {
    return milliseconds_of(key, plan.is_patient ? limit + limit / 2 : limit);
  };
  return line("request_body_idle", Limits::kBodyIdle) + line("connect", Limits::kConnect) +
         line("upstream_response", Limits::kResponse) +
         line("response_idle", Limits::kResponseIdle) +
         line("websocket_idle", Limits::kWebSocketIdle);
}

std::string text_of_route(const GenerationPlan& plan, PoolKind pool) {
  std::string text = fmt::format("[[route]]\nhost = \"{}\"\n", host_of(pool));
  const std::string field = fmt::format("set = {{ \"{}\" = \"{}\" }}\n", kField, plan.number);
  if (plan.redirects_from(pool)) {
    text += "[route.redirect]\nto = \"https://elsewhere.test{target}\"\n";
    return text + "[route.response_headers]\n" + field;
  }
  text += fmt::format("pool = \"{}\"\n", name_of(pool));
  if (plan.marks[static_cast<std::size_t>(pool)])
    text += "request_id = \"create\"\ntrace = \"create\"\n";
  if (plan.auth[static_cast<std::size_t>(pool)]) text += text_of_auth();
  if (plan.upgrades[static_cast<std::size_t>(pool)])
    text += fmt::format("upgrades = [\"{}\"]\n", kTunnelProtocol);
  if (plan.in_routes) text += "[route.timeouts]\n" + timeouts_of_routes(plan);
  text += "[route.websocket]\n" + text_of(plan.policy(pool));
  return text + "[route.request_headers]\n" + field + "[route.response_headers]\n" + field;
}

std::string text_of_pool(const GenerationPlan& plan, PoolKind pool) {
  std::string servers;
  for (std::size_t at = 0; at < kSites.size(); ++at) {
    if (kSites[at].pool != pool || !plan.sites[at]) continue;
    if (!servers.empty()) servers += ", ";
    if (pool == kRebalanced && plan.rebalance.is_wanted) {
      servers += text_of({.weight = plan.rebalance.weights[at]}, kSites[at].address);
      continue;
    }
    servers += plan.balance.shares.empty() ? fmt::format("\"{}\"", kSites[at].address)
                                           : text_of(plan.balance.shares[at], kSites[at].address);
  }
  const std::string balance =
      plan.balance.pools.empty() ? "" : text_of(plan.balance.pools[static_cast<std::size_t>(pool)]);
  return fmt::format("[pool.{}]\nservers = [{}]\n{}", name_of(pool), servers, balance) +
         (pool == kRebalanced ? text_of(plan.rebalance) : "") +
         milliseconds_of("keep_alive_idle", Limits::kPoolIdle) +
         text_of(plan.care[static_cast<std::size_t>(pool)], name_of(pool)) +
         text_of(plan.health[static_cast<std::size_t>(pool)], name_of(pool));
}

// Not of the Unix socket. A slow client may take long.
constexpr std::string_view kProxied =
    "proxy_protocol = { from = \"127.0.0.0/8\", timeout = \"10s\" }\n";

std::string config_text(const GenerationPlan& plan) {
  std::string text = "zone = \"near\"\n";
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    if (!plan.listens[entry]) continue;
    text += fmt::format("[[listen]]\naddress = \"{}\"\n", kListeners[entry]);
    if (plan.proxied) text += kProxied;
    text += listener_text(plan.doors, entry);
  }
  text += "[log]\nlevel = \"debug\"\n[timeouts]\n";
  text += milliseconds_of("tls_handshake", Limits::kTlsHandshake);
  text += milliseconds_of("request_header", Limits::kRequestHeader);
  text += milliseconds_of("keep_alive_idle", Limits::kKeepAlive);
  text += "[limits]\n";
  if (plan.scarce_memory) text += "compression_memory = \"1MiB\"\n";
  text += limits_of_clients(plan);
  text += "[defaults.timeouts]\n";
  text += plan.in_routes ? std::string(kEndless) : timeouts_of_routes(plan);
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) {
    text += text_of_route(plan, static_cast<PoolKind>(pool));
  }
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) {
    text += text_of_pool(plan, static_cast<PoolKind>(pool));
  }
  if (plan.has_guard) text += text_of_auth_pool();
  // Nobody exports them here: what shards make of them is in the log's records.
  if (plan.number % 2 == 1)
    text += "[tracing]\nendpoint = \"http://127.0.0.1:4318\"\nsample = \"50%\"\n";
  return text;
}

void change_listeners(Dice& dice, GenerationPlan& plan) {
  plan.listens.flip(dice.between(0, kEntries - 1));
  if (plan.listens.none()) plan.listens.set(dice.between(0, kEntries - 1));
}

void change_servers(Dice& dice, GenerationPlan& plan) {
  flip_server(dice.between(0, kSites.size() - 1), plan.sites);
}

void change_something(Dice& dice, GenerationPlan& plan) {
  switch (dice.between(0, 8)) {
    case 0:
    case 1:
      return change_listeners(dice, plan);
    case 2:
    case 3:
      return change_servers(dice, plan);
    case 4:
      plan.other_certificate = !plan.other_certificate;
      return;
    case 5:
      plan.verifies = !plan.verifies;
      return;
    case 6:
      plan.redirects = !plan.redirects;
      return;
    case 7:
      plan.is_patient = !plan.is_patient;
      return;
    default:
      plan.in_routes = !plan.in_routes;
  }
}

// With dice of their own: a run is the same with and without them, but for what they do.
void draw_policies(const Scenario& scenario, GenerationPlan& plan) {
  if (scenario.policy) plan.policies.fill(*scenario.policy);
  if (scenario.policy || !scenario.has_policies) return;
  Dice dice(scenario.seed * 7919 + 12);
  for (PolicyPlan& policy : plan.policies) {
    if (dice.chance(70)) policy = draw_policy(dice);
  }
  const bool compresses = scenario.theme == Theme::kCompression;
  for (PolicyPlan& policy : plan.policies) {
    if (compresses && dice.chance(70)) compress_at_gateway(dice, policy);
  }
  for (std::uint64_t number = 1; number < plan.number; ++number) {
    PolicyPlan& policy = plan.policies[dice.between(0, kPoolKinds - 1)];
    if (dice.chance(50)) policy = dice.chance(80) ? draw_policy(dice) : PolicyPlan{};
  }
}

// Likewise: of some generations the one before's stays.
void draw_balances(const Scenario& scenario, GenerationPlan& plan) {
  if (!scenario.has_balance) return;
  Dice dice(scenario.seed * 7919 + 13);
  plan.balance = draw_balance(dice, kPoolKinds, kSites.size());
  for (std::uint64_t number = 1; number < plan.number; ++number) {
    if (dice.chance(40)) plan.balance = draw_balance(dice, kPoolKinds, kSites.size());
  }
}

// Likewise.
void draw_upgrades(const Scenario& scenario, GenerationPlan& plan) {
  if (!scenario.has_tunnels) return;
  Dice dice(scenario.seed * 7919 + 14);
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) plan.upgrades[pool] = dice.chance(80);
  const bool changes = dice.chance(50);
  for (std::uint64_t number = 1; number < plan.number && changes; ++number) {
    if (dice.chance(50)) plan.upgrades.flip(dice.between(0, kPoolKinds - 1));
  }
}

// Likewise.
void draw_auth(const Scenario& scenario, GenerationPlan& plan) {
  plan.has_guard = scenario.has_auth;
  if (!scenario.has_auth) return;
  Dice dice(scenario.seed * 7919 + 18);
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) plan.auth[pool] = dice.chance(60);
  for (std::uint64_t number = 1; number < plan.number; ++number) {
    if (dice.chance(40)) plan.auth.flip(dice.between(0, kPoolKinds - 1));
  }
}

// Likewise.
void draw_marks(const Scenario& scenario, GenerationPlan& plan) {
  Dice dice(scenario.seed * 7919 + 23);
  if (!dice.chance(30)) return;
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) plan.marks[pool] = dice.chance(70);
  for (std::uint64_t number = 1; number < plan.number; ++number) {
    if (dice.chance(30)) plan.marks.flip(dice.between(0, kPoolKinds - 1));
  }
}

}  // namespace

bool GenerationPlan::is_last_resort(std::string_view address) const {
  if (balance.shares.empty()) return false;
  const auto tier = [&](std::size_t at) {
    return (balance.shares[at].backup ? 2 : 0) + (balance.shares[at].far ? 1 : 0);
  };
  const auto its =
      static_cast<std::size_t>(std::ranges::find(kSites, address, &Site::address) - kSites.begin());
  for (std::size_t at = 0; at < kSites.size(); ++at) {
    if (kSites[at].pool != kSites[its].pool || !sites[at]) continue;
    if (tier(at) < tier(its)) return true;
  }
  return false;
}

void flip_server(std::size_t at, Sites& sites) {
  sites.flip(at);
  for (std::size_t other = 0; other < kSites.size(); ++other) {
    const bool stays =
        kSites[other].pool == kSites[at].pool && sites[other] && kSites[other].address != kRefusing;
    if (stays) return;
  }
  sites.set(at);
}

bool GenerationPlan::has_server(std::string_view address) const {
  const auto at = std::ranges::find(kSites, address, &Site::address);
  return at != kSites.end() && sites[static_cast<std::size_t>(at - kSites.begin())];
}

GenerationPlan plan_generation(const Scenario& scenario, std::uint64_t number) {
  GenerationPlan plan;
  plan.listens.set();
  for (std::size_t at = 0; at < kSites.size(); ++at) plan.sites[at] = kSites[at].at_first;
  plan.in_routes = scenario.routes_override;
  plan.scarce_memory = scenario.scarce_memory;
  plan.tight = scenario.tight;
  plan.proxied = scenario.proxied;
  Dice dice(scenario.seed * 7919 + 11);
  while (plan.number < number) {
    ++plan.number;
    for (std::size_t changes = dice.between(0, 4); changes > 0; --changes) {
      change_something(dice, plan);
    }
    const bool has_many =
        scenario.theme == Theme::kLongWebSockets || scenario.theme == Theme::kRebalance;
    if (has_many && dice.chance(70)) flip_server(dice.between(0, kAppSites - 1), plan.sites);
  }
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) {
    plan.care[pool] = plan_care(scenario, static_cast<PoolKind>(pool));
    plan.checked[pool] = is_ever_checked(scenario, static_cast<PoolKind>(pool));
  }
  plan.health = plan_health(scenario, number);
  draw_policies(scenario, plan);
  draw_balances(scenario, plan);
  draw_upgrades(scenario, plan);
  draw_auth(scenario, plan);
  draw_marks(scenario, plan);
  plan.doors = plan_doors(scenario, plan.number);
  plan.rebalance = plan_rebalance(scenario, plan.number);
  // This one holds for a message under way, too: so that it has one meaning it is the same in all.
  for (PolicyPlan& policy : plan.policies) {
    if (!scenario.policy) policy.ratio_max = scenario.ratio_max;
  }
  return plan;
}

// The certificates are in no files, so they are put in here.
gateway::config::SharedGeneration make_generation(const GenerationPlan& plan) {
  auto config = gateway::config::read_text(config_text(plan), "/run/simulated.conf");
  if (!config) {
    for (const auto& error : config.error()) std::fprintf(stderr, "%s\n", error.text().c_str());
    std::abort();
  }
  const std::string_view secure_address = kListeners[static_cast<std::size_t>(Entry::kSecure)];
  for (gateway::config::Listener& listener : config->listeners) {
    if (listener.address.text() != secure_address) continue;
    const bool other = plan.other_certificate;
    listener.tls = {.pems = {{other ? kOtherCertificate : kCertificate, other ? kOtherKey : kKey}}};
  }
  for (gateway::config::Pool& pool : config->pools) {
    const bool secure = pool.name.starts_with(name_of(PoolKind::kSecure));
    if (!secure) continue;
    pool.tls = {.name = "localhost", .ca = kCertificate, .verify = plan.verifies};
  }
  return std::make_shared<const gateway::config::Generation>(plan.number, std::move(*config));
}

std::vector<PolicyPlan> policies_of(const Scenario& scenario, PoolKind pool, std::uint64_t first,
                                    std::uint64_t last) {
  std::vector<PolicyPlan> policies;
  for (std::uint64_t number = first; number <= last; ++number) {
    const GenerationPlan plan = plan_generation(scenario, number);
    if (!plan.redirects_from(pool)) policies.push_back(plan.policy(pool));
  }
  return policies;
}

bool always_upgrades(const Scenario& scenario, PoolKind pool) {
  for (std::uint64_t number = 1; number <= scenario.adopts_at.size() + 1; ++number) {
    if (!plan_generation(scenario, number).upgrades[static_cast<std::size_t>(pool)]) return false;
  }
  return true;
}

std::uint64_t generation_of(const MessageReader& message) {
  const std::string* const text = message.field("x-generation");
  std::uint64_t number = 0;
  if (text != nullptr) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace simulation
