// A pool as one shard has it, of one generation: its configuration, its TLS, and whose turn it is.
// It keeps that generation alive, and is held by the shard's view of it and by whoever dials one of
// its servers. So what is read from the configuration through a pool is there as long as the pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/upstream/upstream_server.hh"
#include "proto/tls/context.hh"
#include "uring/counted.hh"

namespace gateway {

class Upstreams;

class UpstreamPool : public uring::Counted {
 public:
  // Made by Upstreams::make_pool().
  UpstreamPool(Upstreams& owner, config::SharedGeneration generation, const config::Pool& pool,
               std::vector<uring::Held<UpstreamServer>> servers,
               std::unique_ptr<tls::ClientContext> tls, std::size_t turn);
  ~UpstreamPool();

  const config::Pool& config() const { return pool_; }
  std::size_t size() const { return servers_.size(); }
  UpstreamServer& server(std::size_t index) const { return *servers_[index]; }
  const config::Server& config_of(std::size_t index) const { return pool_.servers[index]; }
  std::span<const config::Address> addresses_of(std::size_t index) const {
    return pool_.servers[index].addresses;
  }
  tls::ClientContext* tls() const { return tls_.get(); }  // null: plain

  // Whether there is a server that is not drained.
  bool has_takers() const;
  // Where an exchange begins to try: the next turn, or whoever comes behind it (and around) where
  // that one is drained. Those behind come next, which moves no turn.
  std::size_t choose();
  bool takes(std::size_t index) const { return !servers_[index]->state_->draining(); }

 private:
  friend class UpstreamConnection;
  friend class Upstreams;

  Upstreams& owner_;
  config::SharedGeneration generation_;
  const config::Pool& pool_;
  std::vector<uring::Held<UpstreamServer>> servers_;  // as in the configuration
  std::vector<std::uint32_t> eras_;                   // of each, in which it serves
  std::unique_ptr<tls::ClientContext> tls_;
  std::size_t turn_;
};

}  // namespace gateway
