#include "gateway/upstream/upstream_pool.hh"

#include <utility>

#include "gateway/upstream/upstreams.hh"

namespace gateway {

UpstreamPool::UpstreamPool(Upstreams& owner, config::SharedGeneration generation,
                           const config::Pool& pool,
                           std::vector<uring::Held<UpstreamServer>> servers,
                           std::unique_ptr<tls::ClientContext> tls, std::size_t turn)
    : owner_(owner),
      generation_(std::move(generation)),
      pool_(pool),
      servers_(std::move(servers)),
      tls_(std::move(tls)),
      turn_(turn) {
  for (const uring::Held<UpstreamServer>& server : servers_) {
    ++server->pools_;
    eras_.push_back(server->era_);
  }
}

UpstreamPool::~UpstreamPool() {
  for (const uring::Held<UpstreamServer>& server : servers_) {
    if (--server->pools_ == 0) owner_.give_up_kept(*server, Farewell::kPolite);
  }
}

std::size_t UpstreamPool::choose() {
  const std::size_t count = servers_.size();
  const std::size_t start = turn_++ % count;
  if (pool_.balance == config::Balance::round_robin) return start;
  std::size_t best = start;
  for (std::size_t step = 1; step < count; ++step) {
    const std::size_t other = (start + step) % count;
    if (servers_[other]->state_->count() < servers_[best]->state_->count()) best = other;
  }
  return best;
}

}  // namespace gateway
