#include "gateway/shard/orphans.hh"

#include <algorithm>
#include <string_view>
#include <vector>

#include "gateway/shard/shard_generation.hh"
#include "gateway/websocket/tunnel.hh"

namespace gateway {
namespace {

// "route-7", as the seventh route is called that has no name of its own.
bool tells_place(std::string_view name) {
  constexpr std::string_view kPrefix = "route-";
  if (!name.starts_with(kPrefix) || name.size() == kPrefix.size()) return false;
  return std::ranges::all_of(name.substr(kPrefix.size()),
                             [](char c) { return c >= '0' && c <= '9'; });
}

bool proxies(const config::Route& route) {
  return !route.answer && !route.redirect;
}

}  // namespace

std::string identity_of(const config::Route& route) {
  if (!tells_place(route.name)) return route.name;
  // No name has a blank.
  std::string identity = " " + route.path;
  std::vector<std::string> hosts = route.hosts;
  std::ranges::sort(hosts);
  for (const std::string& host : hosts) identity += " " + host;
  return identity;
}

bool carries_on(const config::Route& now, const config::Route& before) {
  if (!proxies(now)) return false;
  const bool named = !tells_place(now.name) && !tells_place(before.name);
  return named ? now.name == before.name : identity_of(now) == identity_of(before);
}

void Orphans::look_at(const ShardGeneration& newest) {
  routes_.clear();
  servers_.clear();
  lost_.clear();
  for (const config::Route& route : newest.config().routes) {
    if (proxies(route)) routes_.insert(identity_of(route));
  }
  for (std::size_t index = 0; index < newest.config().pools.size(); ++index) {
    const UpstreamPool& pool = newest.pool(index);
    for (std::size_t at = 0; at < pool.size(); ++at) servers_.insert(&pool.server(at).state());
  }
}

bool Orphans::contain(const Tunnel& tunnel) const {
  return !servers_.contains(&tunnel.server().state()) || has_lost(tunnel.route());
}

bool Orphans::has_lost(const config::Route& route) const {
  const auto [known, is_new] = lost_.try_emplace(&route, false);
  if (is_new) known->second = !routes_.contains(identity_of(route));
  return known->second;
}

}  // namespace gateway
