// A server as one shard knows it: its connections that are kept for the next request, and what is
// remembered of it. Of the configuration it holds nothing: a pool of the next generation that has
// the same server goes on with it. It is held by such pools, and by its connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "gateway/metrics/traffic.hh"
#include "gateway/upstream/address_memory.hh"
#include "gateway/upstream/registry.hh"
#include "proto/tls/session.hh"
#include "uring/counted.hh"
#include "uring/list.hh"

namespace gateway {

class UpstreamConnection;

class UpstreamServer : public uring::Counted, private uring::ListEntry {
 public:
  // `text` as the configuration has it, for the log.
  UpstreamServer(std::string text, std::shared_ptr<ServerState> state,
                 std::shared_ptr<ServerTraffic> traffic)
      : text_(std::move(text)), state_(std::move(state)), traffic_(std::move(traffic)) {}
  ~UpstreamServer() { unlist(); }

  const std::string& text() const { return text_; }
  ServerState& state() { return *state_; }
  ServerTraffic& traffic() { return *traffic_; }
  AddressMemory& addresses() { return addresses_; }

  // Its last answer was HTTP/1.0: it may not understand chunks (RFC 9112 section 6.1).
  bool speaks_only_1_0() const { return only_1_0_; }
  void note_version(std::uint8_t minor_version) { only_1_0_ = minor_version == 0; }

 private:
  friend class UpstreamPool;
  friend class Upstreams;
  friend class uring::List<UpstreamServer>;

  std::string text_;
  std::shared_ptr<ServerState> state_;
  std::shared_ptr<ServerTraffic> traffic_;
  AddressMemory addresses_;
  uring::List<UpstreamConnection> kept_;  // the newest last
  std::size_t pools_ = 0;                 // that have it: without one nothing of it is kept
  // Rises where what an earlier pool has opened is not to be kept any more: the server is at other
  // addresses, or its connections are to be kept in another way.
  std::uint32_t era_ = 0;
  tls::Ticket ticket_;
  bool only_1_0_ = false;
  std::int64_t turn_credit_ = 0;  // of round robin: whose turn it is goes on
};

}  // namespace gateway
