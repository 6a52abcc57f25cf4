// What one shard makes of a generation of the configuration: the TLS contexts of its listeners, and
// its pools. It is made, used and freed on the shard's thread, with a plain count: the shard holds
// the newest one, a connection the one that it came in, an exchange that of its head, a tunnel the
// newest one that has its route. Whatever they read from the configuration is there as long as they
// hold it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/metrics/counters.hh"
#include "gateway/upstream/upstreams.hh"
#include "proto/tls/context.hh"
#include "proto/tls/ticket_keys.hh"
#include "uring/counted.hh"

namespace gateway {

class ShardGeneration : public uring::Counted {
 public:
  // What it is made with; outlives it.
  struct Resources {
    tls::TicketKeys& tickets;
    tls::RecordBuffers& buffers;
    Upstreams& upstreams;
    Counters& counters;
  };

  // `previous`: the one that it comes after, which need not stay; or null.
  ShardGeneration(config::SharedGeneration generation, uring::Held<ShardGeneration> previous);

  // One certificate's, one listener's or one pool's part, since each takes a while: so that others
  // have their turns between two of them. False: all is there, and it can serve.
  bool load_next(const Resources& resources);

  const config::Config& config() const { return generation_->config; }
  // Null: plain HTTP.
  tls::ServerContexts* contexts_of(std::size_t listener) const { return contexts_[listener].get(); }
  UpstreamPool& pool(std::size_t index) const { return *pools_[index]; }
  Traffic& traffic_of_listener(std::size_t index) const { return *listener_traffic_[index]; }
  Traffic& traffic_of(const config::Route& route) const;

 private:
  // A listener's contexts, and what they were made of.
  struct ContextSet {
    const config::Tls* tls;
    std::shared_ptr<tls::ServerContexts> contexts;
  };

  void load_listener(const Resources& resources);
  bool load_contexts(const config::Tls& tls, const Resources& resources);
  bool share_certificate(const config::Tls& tls);
  bool begin_contexts(const config::Tls& tls, const Resources& resources);
  std::vector<ContextSet> sets_like(const config::Tls& tls) const;
  void load_pool(const Resources& resources);
  void name_routes(Counters& counters);
  const UpstreamPool* previous_pool(const std::string& name) const;

  config::SharedGeneration generation_;
  uring::Held<ShardGeneration> previous_;                       // until all is there
  std::vector<std::shared_ptr<tls::ServerContexts>> contexts_;  // by listener
  std::shared_ptr<tls::ServerContexts> making_;                 // the next one's, in part
  std::vector<uring::Held<UpstreamPool>> pools_;
  std::vector<std::shared_ptr<Traffic>> listener_traffic_;
  std::vector<std::shared_ptr<Traffic>> route_traffic_;
};

}  // namespace gateway
