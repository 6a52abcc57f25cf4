// Which WebSockets of a shard are orphans: their route or their server is not in the newest
// generation. A listener that has gone makes none.
#pragma once

#include <string>
#include <unordered_set>

#include "gateway/config/config.hh"
#include "gateway/upstream/registry.hh"

namespace gateway {

class ShardGeneration;
class Tunnel;

// What makes two routes of two generations the same one: the name; or, where that tells only its
// place, which another one may have now, its hosts and its path.
std::string identity_of(const config::Route& route);

class Orphans {
 public:
  // The newest from here on; it stays until the next one.
  void look_at(const ShardGeneration& newest);
  bool contain(const Tunnel& tunnel) const;

 private:
  std::unordered_set<std::string> routes_;
  std::unordered_set<const ServerState*> servers_;
};

}  // namespace gateway
