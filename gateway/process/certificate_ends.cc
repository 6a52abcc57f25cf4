#include "gateway/process/certificate_ends.hh"

#include <utility>

#include "proto/tls/leaf.hh"

namespace gateway {

const std::vector<CertificateEnds::One>& CertificateEnds::of(const config::Generation& generation) {
  if (std::exchange(generation_, generation.number) == generation.number) return all_;
  all_.clear();
  for (const config::Listener& listener : generation.config.listeners) {
    if (!listener.tls) continue;
    for (std::size_t index = 0; index < listener.tls->pems.size(); ++index) {
      tls::Leaf leaf = tls::leaf_of(listener.tls->pems[index].chain);
      all_.push_back({listener.address.text(), index, std::move(leaf.name), leaf.valid_until});
    }
  }
  return all_;
}

}  // namespace gateway
