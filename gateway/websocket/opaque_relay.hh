// An open tunnel of bytes that nobody looks at: what another upgrade than a WebSocket's becomes.
// Two pumps, one per direction, between the two links.
//
//   client --read_for(upstream)--> upstream.write        end of stream: upstream.write_end
//   upstream --read_for(client)--> client.write          end of stream: client.write_end
//
// A half-close goes on as one. It ends when both directions have, when a peer fails, when nothing
// has passed for as long as its policy says, or when somebody calls stop(): then what was written
// is still sent, and each side whose stream has had no end is to see that it was cut. Owns nothing
// but its state; the links outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/link/end.hh"
#include "gateway/link/link.hh"
#include "gateway/websocket/policy.hh"

namespace gateway {

class OpaqueRelay {
 public:
  // How soon it goes by what its policy has become, at the latest.
  static constexpr std::chrono::seconds kRenewTime{60};

  // `protocol` as the client has named it.
  OpaqueRelay(uring::Loop& loop, Link& client, Link& upstream, std::string_view protocol,
              RelayOwner& owner);
  OpaqueRelay(const OpaqueRelay&) = delete;
  OpaqueRelay& operator=(const OpaqueRelay&) = delete;

  uring::BlockPool& frames() { return loop_.frames(); }

  // What came right behind the heads goes first, and is not looked at any more when this returns.
  void start(Bytes behind_request, Bytes behind_response);
  // The owner is told (note_finished()), and calls stop_watching(). From then on it touches no link
  // and arms nothing.
  bool has_finished() const { return to_upstream_.finished && to_client_.finished; }
  void stop_watching();
  End how_ended() const { return end_.value_or(End{}); }

  // Ends it; the first End wins. Nothing happens once it has finished.
  void stop(const End& end);
  bool is_closing() const { return end_.has_value(); }

  // All that the other one has said has gone on, with its end.
  bool client_stream_is_whole() const { return to_client_.is_whole; }
  bool upstream_stream_is_whole() const { return to_upstream_.is_whole; }
  std::string_view protocol() const { return protocol_; }
  uring::Clock::time_point last_activity() const { return last_activity_; }
  std::uint64_t bytes_from_client() const { return to_upstream_.bytes; }
  std::uint64_t bytes_from_upstream() const { return to_client_.bytes; }

 private:
  struct Direction {
    Link& from;
    Link& to;
    Party sender;
    std::uint64_t bytes = 0;
    bool is_whole = false;
    bool finished = false;

    Party receiver() const { return sender == Party::kClient ? Party::kUpstream : Party::kClient; }
  };

  uring::Task<> pump(Direction& way);
  bool pass_on(Direction& way, Bytes bytes);
  void end_pump(Direction& way);
  void on_client_left();
  void on_upstream_left();
  void on_deadline();
  void look_again();

  uring::Loop& loop_;
  RelayOwner& owner_;
  RouteTraffic* traffic_ = nullptr;  // of its policy
  Direction to_upstream_;
  Direction to_client_;
  uring::Clock::time_point last_activity_;
  uring::ReadyMember<&OpaqueRelay::on_client_left> client_left_{*this};
  uring::ReadyMember<&OpaqueRelay::on_upstream_left> upstream_left_{*this};
  uring::TimerMember<&OpaqueRelay::on_deadline> deadline_;
  uring::Task<> pump_to_upstream_;
  uring::Task<> pump_to_client_;
  std::optional<End> end_;
  std::pmr::string protocol_;
};

}  // namespace gateway
