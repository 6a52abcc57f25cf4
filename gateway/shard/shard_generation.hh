// What one shard makes of a generation of the configuration: the TLS contexts of its listeners, and
// its pools. It is made, used and freed on the shard's thread, with a plain count: the shard holds
// the newest one, a connection the one that it came in, an exchange that of its head, a tunnel the
// newest one that has its route. Whatever they read from the configuration is there as long as they
// hold it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/limits/live_count.hh"
#include "gateway/metrics/counters.hh"
#include "gateway/upstream/upstreams.hh"
#include "proto/tls/context.hh"
#include "proto/tls/ticket_keys.hh"
#include "uring/counted.hh"

namespace gateway {

// What a pool has by now, instead of what the configuration says.
struct PoolServers {
  std::string pool;
  config::ServerList servers;
};

class ShardGeneration : public uring::Counted {
 public:
  // What it is made with; outlives it.
  struct Resources {
    tls::TicketKeys& tickets;
    tls::RecordBuffers& buffers;
    Upstreams& upstreams;
    Counters& counters;
    limits::LiveCounts& live;
  };

  // `previous`: the one that it comes after, which need not stay; or null. `servers` of pools that
  // have others than the configuration says.
  ShardGeneration(config::SharedGeneration generation, std::vector<PoolServers> servers,
                  uring::Held<ShardGeneration> previous);

  // One certificate's, one listener's or one pool's part, since each takes a while: so that others
  // have their turns between two of them. False: all is there, and it can serve.
  bool load_next(const Resources& resources);

  // Once all is there: pools that it does not have are passed over.
  void replace_servers(Upstreams& upstreams, const std::vector<PoolServers>& servers);

  const config::Config& config() const { return generation_->config; }
  std::uint64_t number() const { return generation_->number; }
  // Null: plain HTTP.
  tls::ServerContexts* contexts_of(std::size_t listener) const { return contexts_[listener].get(); }
  UpstreamPool& pool(std::size_t index) const { return *pools_[index]; }
  const std::vector<uring::Held<UpstreamPool>>& pools() const { return pools_; }
  ListenerTraffic& traffic_of_listener(std::size_t index) const {
    return *listener_traffic_[index];
  }
  RouteTraffic& traffic_of(const config::Route& route) const;
  // Over all shards and generations.
  limits::LiveCount& connections_of_listener(std::size_t index) const {
    return *listener_connections_[index];
  }
  limits::LiveCount& under_way_of(const config::Route& route) const;

 private:
  // The contexts of a listener, or of some of its names, and what they were made of.
  struct ContextSet {
    const std::vector<tls::Pem>* pems;
    const tls::ClientCheck* check;  // null: nobody is asked
    std::shared_ptr<tls::ServerContexts> contexts;
    bool has_policies = false;  // others for some names
  };

  void load_listener(const Resources& resources);
  bool load_contexts(const config::Tls& tls, const Resources& resources);
  bool load_set(const ContextSet& wanted, const Resources& resources);
  bool share_certificate(const ContextSet& wanted);
  bool begin_set(const ContextSet& wanted, const Resources& resources);
  std::vector<ContextSet> sets_like(const ContextSet& wanted) const;
  void load_pool(const Resources& resources);
  void name_routes(const Resources& resources);
  const UpstreamPool* previous_pool(const std::string& name) const;

  config::SharedGeneration generation_;
  std::vector<PoolServers> servers_;                            // until all is there
  uring::Held<ShardGeneration> previous_;                       // until all is there
  std::vector<std::shared_ptr<tls::ServerContexts>> contexts_;  // by listener
  std::vector<ContextSet> sets_;                                // theirs, and those of their names
  std::vector<std::shared_ptr<tls::ServerContexts>> by_name_;   // of the next listener, whole
  std::shared_ptr<tls::ServerContexts> making_;                 // the next one's, in part
  std::vector<uring::Held<UpstreamPool>> pools_;
  std::vector<std::shared_ptr<ListenerTraffic>> listener_traffic_;
  std::vector<std::shared_ptr<RouteTraffic>> route_traffic_;
  std::vector<std::shared_ptr<limits::LiveCount>> listener_connections_;
  std::vector<std::shared_ptr<limits::LiveCount>> route_under_way_;
};

}  // namespace gateway
