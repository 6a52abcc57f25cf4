// What an exchange becomes at the 101, a WebSocket or a tunnel of another protocol, and all that an
// idle one holds beside its client's connection: the connection to the server, the relay between
// the two, and what the log is to say at the end. Whatever ends the client's connection reaches it
// by stop(), then by abort().
#pragma once

#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/client/connection.hh"
#include "gateway/exchange/request_marks.hh"
#include "gateway/limits/holds.hh"
#include "gateway/link/farewell.hh"
#include "gateway/shard/access_log.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/shard/under_way.hh"
#include "gateway/upstream/upstreams.hh"
#include "gateway/websocket/kept_text.hh"
#include "gateway/websocket/opaque_relay.hh"
#include "gateway/websocket/relay.hh"
#include "proto/ws/extensions.hh"

namespace gateway {

// What the exchange hands over.
struct TunnelOpening {
  uring::Held<ShardGeneration> generation;
  const config::Route& route;
  UpstreamConnection& upstream;
  std::pmr::string request_line;
  uring::BlockPool::Owned<RequestMarks> marks;  // null: there are none
  uring::Clock::time_point begun;
  limits::RequestHolds holds;
  std::uint8_t rsv_allowed;  // of the extensions that were agreed
  // Of those by the gateway and the client alone, whose messages are plain at the server then.
  std::optional<ws::Deflate> deflate;
  uring::Clock::time_point token_ends = uring::Clock::time_point::max();  // that let it in
  // Of a tunnel that is no WebSocket, but bytes of a protocol that the route lets pass; empty else.
  std::string_view opaque_protocol = {};
};

class PacedClosing;

class Tunnel final : private uring::ListEntry, private RelayOwner {
 public:
  Tunnel(Connection& connection, TunnelOpening opening);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  void start(Bytes behind_request, Bytes behind_response);
  // Its connection has been told (note_tunnel_finished()).
  bool has_finished() const { return opaque_ ? opaque_->has_finished() : relay_->has_finished(); }
  // After that: the server's connection goes, and the log gets its line.
  void settle();
  // After settle(): how the client's connection is to end.
  Farewell farewell_to_client() const;

  // Ends it politely, the first End wins; false once it has settled.
  bool stop(const End& end);
  // The same where WebSockets are closed one by one and its turn has come. Nothing happens where it
  // is being closed already, by whatever code.
  void close_in_turn(const End& end, std::chrono::milliseconds boundary_time);
  // The same, where another server of its pool has room for it; ServerState::asked has it until it
  // has settled.
  void ask_to_come_again(const End& end, std::chrono::milliseconds boundary_time);
  // Every wait on the server's link ends.
  void abort();

  bool is_open() const { return upstream_ != nullptr; }  // until it has settled
  // A close frame has passed, or is to: its turn would change nothing.
  bool is_closing() const { return opaque_ ? opaque_->is_closing() : relay_->is_closing(); }
  // A frame did not reach its end in the time that it had.
  bool was_cut_short() const { return relay_ && relay_->was_cut_short(); }
  uring::Clock::time_point begun() const { return begun_; }
  UpstreamServer& server() const { return upstream_->server(); }  // until it has settled
  const config::Route& route() const { return *route_; }
  std::uint64_t connection_id() const { return connection_.id(); }
  Access access() const;                                           // likewise
  PeerRecord record_of(Party peer) const;                          // likewise, of a WebSocket
  const Link& upstream_link() const { return upstream_->link(); }  // likewise
  // Of a WebSocket.
  void capture(std::shared_ptr<FrameCapture> capture) { relay_->capture(std::move(capture)); }
  // One of the two is there.
  const Relay* relay() const { return relay_ ? &*relay_ : nullptr; }
  const OpaqueRelay* opaque() const { return opaque_.get(); }
  uring::Clock::time_point last_activity() const {
    return opaque_ ? opaque_->last_activity() : relay_->last_activity();
  }
  // Both ways, since the last time that it was asked for, or a second before that; at first since
  // its request began.
  double messages_per_second();

  uring::BlockPool& frames() { return connection_.frames(); }

 private:
  friend class PacedClosing;
  friend class uring::List<Tunnel>;
  RelayPolicy policy() override;
  void report() override;
  TranslationTerms translation() override;
  void note_uncompressed() override;
  DetailText& detail() override { return connection_.detail(); }
  void note_finished() override { connection_.note_tunnel_finished(); }
  void renew();
  void count_in(RouteTraffic* traffic);
  RouteTraffic& traffic() const { return generation_->traffic_of(*route_); }
  uring::Clock::time_point ends_at() const;
  bool ends_with_token() const;
  bool keeps_contexts() const {
    if (!relay_ || !relay_->translates()) return false;
    const ws::Deflate& deflate = occasional_->deflate;
    return !(deflate.server_no_context_takeover && deflate.client_no_context_takeover);
  }
  std::chrono::milliseconds own_part_of(std::chrono::milliseconds time) const;
  static Farewell farewell_of_opaque(bool is_whole, Link& link);
  Farewell farewell_to_upstream() const;
  std::uint16_t close_code() const;
  void log() const;
  void log_opaque() const;

  // What only few have.
  struct Occasional {
    Occasional(uring::BlockPool& from, uring::Clock::time_point begun)
        : pool(from), rate_since(begun) {}
    uring::BlockPool& frames() { return pool; }

    uring::BlockPool& pool;
    uring::BlockPool::Owned<RequestMarks> marks;
    limits::AddressTable::Hold of_address;  // as RequestHolds has it, until it has settled
    uring::Clock::time_point token_ends = uring::Clock::time_point::max();
    // If the relay translates: what was agreed on, and what holds of its messages.
    ws::Deflate deflate;
    std::uint32_t inflated_bytes_max = 0;
    // When its rate was asked for; at first its beginning.
    uring::Clock::time_point rate_since;
    std::uint64_t rate_messages = 0;  // there were so many then
    float rate = 0;                   // before that
    bool asked_to_come_again = false;
  };
  Occasional& occasional();
  void keep_occasional(TunnelOpening& opening);
  uring::Clock::time_point token_ends() const {
    return occasional_ ? occasional_->token_ends : uring::Clock::time_point::max();
  }

  Connection& connection_;
  uring::Held<ShardGeneration> generation_;  // the newest that it knows with its route
  const config::Route* route_;               // there
  UpstreamConnection* upstream_;             // until it has settled
  KeptText request_line_;
  uring::BlockPool::Owned<Occasional> occasional_;
  uring::Clock::time_point begun_;
  limits::CountHold of_route_;  // until it has settled
  // One of the two, for as long as it lives.
  std::optional<Relay> relay_;
  uring::BlockPool::Owned<OpaqueRelay> opaque_;
  PacedClosing* closing_ = nullptr;  // in which it waits for its turn
};

}  // namespace gateway
