#include "gateway/shard/rebalancing.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/log/line.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/websocket/tunnel.hh"

namespace gateway {
namespace {

bool wants_it(const config::Pool& pool) {
  return pool.balance.rebalance.per_second > 0;
}

// Who is up by now, with what is to be asked still among those who have been.
std::vector<balance::Holding> holdings_of(UpstreamPool& pool, UpstreamPool::Weights weights) {
  std::vector<balance::Holding> holdings;
  for (const balance::Candidate& one : pool.look(weights)) {
    const ServerState& state = pool.server(holdings.size()).state();
    const std::uint64_t asked =
        state.to_ask.load(std::memory_order_relaxed) + state.asked.load(std::memory_order_relaxed);
    const std::uint64_t websockets = state.count_websockets();
    holdings.push_back({one.weight, websockets - std::min(websockets, asked)});
  }
  return holdings;
}

// Nobody is to be asked any more.
void take_back(const UpstreamPool& pool) {
  for (std::size_t index = 0; index < pool.size(); ++index) {
    pool.server(index).state().to_ask.store(0, std::memory_order_relaxed);
  }
}

// Whoever leaves another one may come to one that has less than its share.
bool has_room_for_some(const UpstreamPool& pool, const std::vector<balance::Holding>& holdings) {
  double weights = 0;
  double websockets = 0;
  for (const balance::Holding& one : holdings) {
    weights += static_cast<double>(one.weight);
    if (one.weight > 0) websockets += static_cast<double>(one.websockets);
  }
  for (std::size_t index = 0; index < holdings.size(); ++index) {
    const double share = websockets * static_cast<double>(holdings[index].weight);
    const bool has_less = static_cast<double>(holdings[index].websockets) * weights < share;
    if (has_less && pool.takes(index, Purpose::kUpgrade)) return true;
  }
  return false;
}

}  // namespace

void Rebalancing::look_at(const ShardGeneration& newest) {
  newest_ = &newest;
  const auto& pools = newest.config().pools;
  for (const uring::Held<UpstreamPool>& pool : newest.pools()) {
    if (!wants_it(pool->config())) take_back(*pool);
  }
  std::erase_if(led_, [&](const Led& one) {
    const auto now = std::ranges::find(pools, one.pool, &config::Pool::name);
    return now == pools.end() || !wants_it(*now);
  });
  // At once: what comes before the first look has come, too.
  for (const uring::Held<UpstreamPool>& pool : newest.pools()) {
    const bool is_new = std::ranges::find(led_, pool->config().name, &Led::pool) == led_.end();
    if (leads_ && is_new && wants_it(pool->config())) lead(*pool);
  }
  if (std::ranges::any_of(pools, wants_it)) {
    if (!timer_.armed()) timer_.arm(loop_.now() + kLook);
  } else {
    timer_.disarm();
  }
}

void Rebalancing::stop() {
  timer_.disarm();
  newest_ = nullptr;
}

void Rebalancing::on_time() {
  const auto& pools = newest_->config().pools;
  for (std::size_t index = 0; index < pools.size(); ++index) {
    if (!wants_it(pools[index])) continue;
    ask_some(newest_->pool(index));
    if (leads_) lead(newest_->pool(index));
  }
  timer_.arm(loop_.now() + kLook);
}

void Rebalancing::lead(UpstreamPool& pool) {
  std::vector<Known> servers;
  for (const balance::Candidate& one : pool.look(UpstreamPool::Weights::kWhole)) {
    servers.push_back({pool.server(servers.size()).text(), one.weight});
  }
  Led& its = led(pool, servers);
  if (its.servers != servers) {
    const auto has_more = [&](const Known& now) {
      return now.weight > 0 && std::ranges::find(its.servers, now) == its.servers.end();
    };
    const bool has_come = std::ranges::any_of(servers, has_more);
    // The places of those that it has counted are others now.
    const bool goes_on = !its.surplus.is_over();
    if (goes_on) end(its, pool);
    its.servers = std::move(servers);
    if (has_come || goes_on) begin(its, pool);
  }
  if (!its.surplus.is_over()) return allow_some(its, pool);
  // The last ones may have gone by themselves.
  if (loop_.now() < its.quiet_at) return;
  take_back(pool);
}

// What a pool has at first is no reason to move anybody.
Rebalancing::Led& Rebalancing::led(const UpstreamPool& pool, const std::vector<Known>& servers) {
  const auto known = std::ranges::find(led_, pool.config().name, &Led::pool);
  if (known != led_.end()) return *known;
  return led_.emplace_back(Led{.pool = pool.config().name, .servers = servers});
}

void Rebalancing::begin(Led& led, UpstreamPool& pool) {
  led.surplus.begin(holdings_of(pool, UpstreamPool::Weights::kWhole));
  led.asked = 0;
  led.allowance = 0;
  led.quiet_at = loop_.now() + kPatience + pool.config().balance.slow_start;
  if (led.surplus.is_over()) return;
  const config::Rebalance& how = pool.config().balance.rebalance;
  LogLine(log_, LogLevel::info, "rebalance")
      .word("pool", led.pool)
      .number("surplus", led.surplus.left())
      .number("rate", how.per_second)
      .said("/s")
      .number("code", how.close_code)
      .write();
}

void Rebalancing::allow_some(Led& led, UpstreamPool& pool) {
  const auto now = loop_.now();
  const double a_look = std::chrono::duration<double>(kLook).count();
  const double at_once = a_look * static_cast<double>(pool.config().balance.rebalance.per_second);
  led.allowance = std::min(led.allowance + at_once, std::max(1.0, at_once));
  std::vector<balance::Holding> holdings = holdings_of(pool, UpstreamPool::Weights::kByNow);
  const bool has_room = has_room_for_some(pool, holdings);
  while (has_room && led.allowance >= 1) {
    const std::size_t fullest = led.surplus.next(holdings);
    if (fullest == balance::kNobody) break;
    pool.server(fullest).state().to_ask.fetch_add(1, std::memory_order_relaxed);
    --holdings[fullest].websockets;
    --led.allowance;
    ++led.asked;
    led.quiet_at = now + kPatience + pool.config().balance.slow_start;
  }
  if (led.surplus.is_over() || now >= led.quiet_at) end(led, pool);
}

void Rebalancing::end(Led& led, UpstreamPool& pool) {
  led.surplus.end();
  // Shards have some looks to ask the last ones.
  led.quiet_at = loop_.now() + 10 * kLook;
  LogLine line(log_, LogLevel::info, "rebalance");
  line.word("pool", led.pool).said(" done,").number("asked", led.asked);
  std::string counts;
  for (std::size_t index = 0; index < pool.size(); ++index) {
    const std::uint32_t count = pool.server(index).state().count_websockets();
    counts += fmt::format("{}{}={}", index == 0 ? "" : " ", pool.server(index).text(), count);
  }
  line.said(": ").bare().word("counts", counts).write();
}

// Its part of those that are to be asked; others may have none that they could ask.
void Rebalancing::ask_some(UpstreamPool& pool) {
  struct Part {
    ServerState* state;
    std::uint32_t left;
  };
  std::vector<Part> parts;
  for (std::size_t index = 0; index < pool.size(); ++index) {
    ServerState& state = pool.server(index).state();
    const std::uint32_t all = state.to_ask.load(std::memory_order_relaxed);
    if (all > 0) parts.push_back({&state, (all + shards_ - 1) / shards_});
  }
  if (parts.empty()) return;
  const End end{.reason = Reason::kRebalanced,
                .close_code = pool.config().balance.rebalance.close_code,
                .detail = policy_of(Reason::kRebalanced).text};
  connections_.for_each_until([&](Connection& connection) {
    Tunnel* const tunnel = connection.tunnel();
    if (tunnel == nullptr || !tunnel->is_open() || tunnel->is_closing()) return false;
    const auto part = std::ranges::find(parts, &tunnel->server().state(), &Part::state);
    if (part == parts.end() || part->left == 0) return false;
    if (!part->state->take_one_to_ask()) {
      part->left = 0;
    } else {
      --part->left;
      tunnel->ask_to_come_again(end, kBoundaryTime);
    }
    return std::ranges::all_of(parts, [](const Part& one) { return one.left == 0; });
  });
}

}  // namespace gateway
