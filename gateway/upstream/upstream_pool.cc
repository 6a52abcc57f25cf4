#include "gateway/upstream/upstream_pool.hh"

#include <algorithm>
#include <utility>

#include "gateway/upstream/balance/algorithms.hh"
#include "gateway/upstream/balance/stable_hash.hh"
#include "gateway/upstream/balance/tokens.hh"
#include "gateway/upstream/upstreams.hh"

namespace gateway {
namespace {

// The gateway's own zone first, and backups last. Without a zone of its own all are as near.
std::uint8_t tier_of(const config::Server& server, const std::string& own_zone) {
  const bool is_far = !own_zone.empty() && server.zone != own_zone;
  return static_cast<std::uint8_t>((server.backup ? 2 : 0) + (is_far ? 1 : 0));
}

}  // namespace

UpstreamPool::UpstreamPool(Upstreams& owner, config::SharedGeneration generation,
                           const config::Pool& pool, config::ServerList list,
                           std::vector<uring::Held<UpstreamServer>> servers,
                           std::shared_ptr<tls::ClientContext> tls, uring::Held<PoolLine> line)
    : owner_(owner),
      generation_(std::move(generation)),
      pool_(pool),
      list_(std::move(list)),
      servers_(std::move(servers)),
      tls_(std::move(tls)),
      line_(std::move(line)) {
  for (const uring::Held<UpstreamServer>& server : servers_) {
    ++server->pools_;
    eras_.push_back(server->era_);
  }
  for (const config::Server& server : *list_) {
    candidates_.push_back({.tier = tier_of(server, generation_->config.zone),
                           .identity = balance::stable_hash(server.text)});
    if (pool_.balance.sticky) {
      tokens_.push_back(
          balance::make_token(owner_.secret_of(generation_->config), pool_.name, server.text));
    }
  }
}

UpstreamPool::~UpstreamPool() {
  line_->forget(*this);
  for (const uring::Held<UpstreamServer>& server : servers_) {
    if (--server->pools_ == 0) owner_.give_up_kept(*server, Farewell::kPolite);
  }
}

// How much of its weight it has by now, in balance::kWhole parts.
std::uint64_t UpstreamPool::part_of(std::size_t index) const {
  ServerState& state = *servers_[index]->state_;
  const auto slow_start = pool_.balance.slow_start;
  return std::min(state.arrival.part(owner_.now(), slow_start),
                  balance::grown(owner_.now() - state.health.came_at(), slow_start));
}

void UpstreamPool::weigh(std::size_t index, Weights weights, bool takes) {
  const std::uint64_t part = weights == Weights::kByNow ? part_of(index) : balance::kWhole;
  candidates_[index].weight = takes ? config_of(index).weight * part : 0;
  candidates_[index].under_way = servers_[index]->state_->count();
  candidates_[index].credit = servers_[index]->turn_credit_;
}

void UpstreamPool::look_at_servers(Purpose purpose) {
  const bool any_up = is_any_up();
  for (std::size_t index = 0; index < size(); ++index) {
    const bool takes = has_room(index, purpose) && may_be_asked(index, any_up);
    weigh(index, Weights::kByNow, takes);
  }
}

std::span<const balance::Candidate> UpstreamPool::look(Weights weights) {
  for (std::size_t index = 0; index < size(); ++index) {
    // Who merely may be tried again has not come: nobody is moved there before that has gone well.
    const ServerState& state = servers_[index]->state();
    weigh(index, weights, !state.draining() && state.health.is_up());
  }
  balance::keep_first_tier(candidates_);
  return candidates_;
}

std::size_t UpstreamPool::choose_by_balance(const ServerWish& wish) {
  switch (pool_.balance.by) {
    case config::Balance::round_robin:
      return balance::round_robin(candidates_);
    case config::Balance::least_connections:
      return balance::least_connections(candidates_, owner_.dice());
    case config::Balance::hash:
      if (wish.key) {
        return balance::by_hash(candidates_, *wish.key, pool_.balance.hash_load_percent);
      }
      break;
    case config::Balance::random_of_two:
      break;
  }
  return balance::random_of_two(candidates_, owner_.dice());
}

std::size_t UpstreamPool::choose(const ServerWish& wish, Purpose purpose) {
  if (wish.stuck_to != balance::kNobody && takes(wish.stuck_to, purpose)) return wish.stuck_to;
  look_at_servers(purpose);
  balance::keep_first_tier(candidates_);
  const std::size_t chosen = choose_by_balance(wish);
  for (std::size_t index = 0; index < size(); ++index) {
    servers_[index]->turn_credit_ = candidates_[index].credit;
  }
  return chosen;
}

std::size_t UpstreamPool::choose_next(const ServerWish& wish, std::span<const std::size_t> tried,
                                      Purpose purpose) {
  look_at_servers(purpose);
  for (const std::size_t index : tried) candidates_[index].weight = 0;
  balance::keep_first_tier(candidates_);
  const bool in_turn = pool_.balance.by == config::Balance::round_robin;
  return in_turn ? balance::next_in_turn(candidates_) : choose_by_balance(wish);
}

std::size_t UpstreamPool::find(const std::string& text) const {
  const auto found = std::ranges::find(*list_, text, &config::Server::text);
  return found == list_->end() ? balance::kNobody
                               : static_cast<std::size_t>(found - list_->begin());
}

std::size_t UpstreamPool::server_of_token(std::string_view token) const {
  if (token.size() != balance::kTokenBytes) return balance::kNobody;
  const auto found = std::ranges::find(tokens_, token);
  if (found == tokens_.end()) return balance::kNobody;
  return static_cast<std::size_t>(found - tokens_.begin());
}

uring::Source UpstreamPool::next_source(int family) {
  const std::vector<config::Address>& sources = pool_.sources;
  for (std::size_t step = 0; step < sources.size(); ++step) {
    const config::Address& source = sources[source_turn_++ % sources.size()];
    if (source.family() == family) return {.address = source.get(), .length = source.length};
  }
  return {};
}

}  // namespace gateway
