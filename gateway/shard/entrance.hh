// What a connection needs to know of the listener that it came through.
#pragma once

#include <cstdint>

#include "gateway/shard/shard_generation.hh"

namespace gateway {

struct Entrance {
  uring::Held<ShardGeneration> generation;  // whose listener it is
  std::uint32_t index = 0;                  // of the listener there

  const config::Listener& listener() const { return generation->config().listeners[index]; }
  tls::ServerContexts* contexts() const { return generation->contexts_of(index); }
  limits::LiveCount& connections() const { return generation->connections_of_listener(index); }
  ListenerTraffic& traffic() const { return generation->traffic_of_listener(index); }
};

}  // namespace gateway
