// Which WebSockets of a shard are orphans: their route or their server is not in the newest
// generation, or the route answers by itself there. A listener that has gone makes none.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "gateway/config/config.hh"
#include "gateway/upstream/registry.hh"

namespace gateway {

class ShardGeneration;
class Tunnel;

// What makes two routes of two generations the same one: the name; or, where that tells only its
// place, which another one may have now, its hosts and its path.
std::string identity_of(const config::Route& route);
// Whether an open WebSocket of the earlier one is the later one's: that proxies, and is the same.
bool carries_on(const config::Route& now, const config::Route& before);

class Orphans {
 public:
  // The newest from here on; it stays until the next one.
  void look_at(const ShardGeneration& newest);
  bool contain(const Tunnel& tunnel) const;

 private:
  bool has_lost(const config::Route& route) const;

  std::unordered_set<std::string> routes_;
  std::unordered_set<const ServerState*> servers_;
  // Many WebSockets share few routes. Each is there as long as they are, and no other one can come
  // to its place before the next look_at().
  mutable std::unordered_map<const config::Route*, bool> lost_;
};

}  // namespace gateway
