// What an exchange becomes at the 101, and all that an idle WebSocket holds beside its client's
// connection: the connection to the server, the relay between the two, and what the log is to say
// at the end. Whatever ends the client's connection reaches it by stop(), then by abort().
#pragma once

#include <memory_resource>
#include <optional>
#include <string>

#include "gateway/client/connection.hh"
#include "gateway/link/farewell.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/shard/under_way.hh"
#include "gateway/upstream/upstreams.hh"
#include "gateway/websocket/relay.hh"

namespace gateway {

// What the exchange hands over.
struct TunnelOpening {
  uring::Held<ShardGeneration> generation;
  const config::Route& route;
  UpstreamConnection& upstream;
  std::pmr::string request_line;
  uring::Clock::time_point begun;
  std::uint8_t rsv_allowed;  // see Relay::Settings
};

class Tunnel {
 public:
  Tunnel(Connection& connection, TunnelOpening opening);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  void start(Bytes behind_request, Bytes behind_response) {
    relay_.start(behind_request, behind_response);
  }
  // co_await finished(), then settle(): the server's connection goes, and the log gets its line.
  uring::Event::Wait finished() { return relay_.finished(); }
  void settle();
  // After settle(): how the client's connection is to end.
  Farewell farewell_to_client() const;

  // Ends it politely, the first End wins; false once it has settled.
  bool stop(const End& end);
  // Every wait on the server's link ends.
  void abort();

  uring::BlockPool& frames() { return connection_.frames(); }

 private:
  Farewell farewell_to_upstream() const;
  std::string close_code_text() const;
  void log() const;

  Connection& connection_;
  std::optional<OneUnderWay> under_way_;
  uring::Held<ShardGeneration> generation_;
  const config::Route& route_;
  UpstreamConnection* upstream_;  // until it has settled
  UpstreamServer& server_;        // as long as the generation
  std::pmr::string request_line_;
  uring::Clock::time_point begun_;
  Relay relay_;
};

}  // namespace gateway
