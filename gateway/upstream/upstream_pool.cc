#include "gateway/upstream/upstream_pool.hh"

#include <algorithm>
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

bool UpstreamPool::has_takers() const {
  return std::ranges::any_of(servers_, [](const uring::Held<UpstreamServer>& server) {
    return !server->state_->draining();
  });
}

std::size_t UpstreamPool::choose() {
  const std::size_t count = servers_.size();
  std::size_t best = turn_++ % count;
  // Where all are drained meanwhile it is the last one that was looked at.
  for (std::size_t step = 1; step < count && !takes(best); ++step) best = turn_++ % count;
  if (pool_.balance == config::Balance::round_robin) return best;
  const std::size_t start = best;
  for (std::size_t step = 1; step < count; ++step) {
    const std::size_t other = (start + step) % count;
    const bool is_less = servers_[other]->state_->count() < servers_[best]->state_->count();
    if (is_less && takes(other)) best = other;
  }
  return best;
}

}  // namespace gateway
