// One request on a client's connection, from its head to its log line: route, server, response, or
// the WebSocket that it becomes. The two bodies are pumped side by side.
//
//   receive its head -> judge -> authenticate -> dial -> forward -+-> response -> settle
//                                                ^               +-> a Tunnel, and nothing is left
//                                                |                   of the exchange
//                                                '-- again, where the request may be sent again
//
// It owns its parts: the client as a stream, and whether it is still there; the request's side and
// the response's, which know the facts; the dialler. What passes between them is decided
// here, and at the end what becomes of the two connections. Whatever goes wrong is told to the
// connection by end(); abort() makes every wait here return.
#pragma once

#include <optional>

#include "gateway/client/client_stream.hh"
#include "gateway/client/connection.hh"
#include "gateway/client/presence.hh"
#include "gateway/config/config.hh"
#include "gateway/exchange/dialler.hh"
#include "gateway/exchange/facts.hh"
#include "gateway/exchange/judge.hh"
#include "gateway/exchange/password_check.hh"
#include "gateway/exchange/request_side.hh"
#include "gateway/exchange/response_side.hh"
#include "gateway/exchange/token_check.hh"
#include "gateway/limits/client_limits.hh"
#include "gateway/limits/holds.hh"
#include "gateway/link/farewell.hh"
#include "gateway/shard/access_log.hh"
#include "gateway/shard/password_desk.hh"
#include "gateway/shard/under_way.hh"

namespace gateway {

class Exchange {
 public:
  // How often a request is sent again at the most, where it may be.
  static constexpr unsigned kResendsMax = 3;

  explicit Exchange(Connection& connection);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Until the response is whole, or the connection has a tunnel.
  uring::Task<> run();
  void abort();

  bool under_way() const { return !facts_.request_line.empty(); }
  // Once it is.
  Access access() const;
  // Null: no server is connected.
  UpstreamConnection* upstream() const { return facts_.upstream; }

  // After run(), where there is no tunnel: the next request may follow on this connection; or how
  // it is to end.
  bool keeps_client() const { return keeps_client_; }
  Farewell farewell_to_client() const { return client_.farewell(); }

  // The connection's deadline has passed, which means this End, unless it is somebody else's fault.
  void on_deadline(const End& end);

  uring::BlockPool& frames() { return facts_.connection.frames(); }

 private:
  // What has come of a try to get an answer.
  enum class Outcome : std::uint8_t { kInterim, kResponse, kSwitch, kTunnel, kSendAgain, kEnded };

  Connection& connection() { return facts_.connection; }
  const Connection& connection() const { return facts_.connection; }
  const config::Config& config() const { return facts_.config(); }

  // verdict.cc
  bool take_head(const ClientStream::HeadIn& head);
  void refuse_head(const http::HeadError& error);
  void note_request();
  void note_marks();
  Judged judge();
  // Whether anything stands before it that authenticate() has to find.
  bool is_guarded(const Judged& judged) const;
  // What to do; true: a server is asked.
  bool follow(const Judged& judged);
  bool follow(const Judged::Refusal& refusal);
  bool follow(const Judged::Redirect& redirect);
  bool follow(const Judged::Answer& answer);
  bool follow(const Judged::LastHop& last_hop);
  bool follow(const Judged::Proxy& proxy);
  bool follow(const Judged::Tunnel& tunnel);
  bool follow(const Judged::Opaque& opaque);
  void answer_with(const config::Answer& answer, const config::HeaderChanges& changes);

  // admission.cc
  bool admit(const Judged& judged);
  bool admit_address(const config::Octets& client, bool is_to_be_held);
  std::optional<config::Octets> find_client();
  bool refuse(limits::Cause cause, const End& end);

  // authenticate.cc
  // What has come of the question whether the request may pass.
  enum class Permission : std::uint8_t { kGranted, kRefused, kAskAgain, kFailed };
  uring::Task<bool> authenticate();
  bool take_token(const config::JwtAuth& demanded);
  bool refuse_token(const TokenRefusal& refusal);
  uring::Task<bool> check_password(const config::BasicAuth& demanded);
  uring::Task<bool> compare_password(const PasswordDesk::Entry& entry);
  void refuse_password(const PasswordRefusal& refusal, const config::BasicAuth& demanded);
  uring::Task<bool> ask_permission();
  uring::Task<Permission> receive_permission(const config::RequestAuth& asked);
  void send_question(const config::RequestAuth& asked);
  bool may_ask_again() const;
  Permission take_end_of_permission();
  void note_permission(const config::RequestAuth& asked);
  uring::Task<bool> drop_permission_body();
  void give_up_permission();
  uring::Task<> pass_refusal();

  // forward.cc
  uring::Task<> proxy();
  ServerWish wish_for(const UpstreamPool& pool) const;
  void note_sticky_cookie();
  bool take_kept();
  uring::Task<bool> dial();
  void note_connected(UpstreamConnection* upstream);
  void watch_client_while_dialling();
  uring::Task<Outcome> forward();
  Outcome take_response_head(const ResponseSide::HeadIn& head);
  Outcome take_end_of_upstream();
  void begin_response(bool may_be_followed);
  bool may_send_again() const;
  Outcome open_tunnel();
  Outcome open_opaque();
  bool is_agreed(std::string_view protocol) const;
  std::optional<ws::Deflate> agree_on_compression(std::span<const std::string_view> offers);

  // outcome.cc
  void note_outcome(Outcome outcome);
  bool has_met_stale_connection() const;
  bool goes_on_elsewhere();
  void note_answer(ServerSlot& slot);
  void note_status(const http::ResponseHead& response);

  // ending.cc
  void settle();
  void reply(std::uint16_t status);
  std::chrono::seconds time_to_retry(const End& end) const;
  bool may_keep_client();
  void release_upstream();
  Farewell farewell_to_upstream() const;
  void account();

  Facts facts_;
  std::optional<OneUnderWay> under_way_;  // from its head to its log line
  limits::RequestHolds holds_;            // likewise, or a tunnel's
  uring::Clock::time_point begun_;
  ClientStream client_;
  Presence presence_;
  ResponseSide response_;
  RequestSide request_;
  uring::BlockPool::Owned<Dialler> dialler_;
  uring::Held<UpstreamServer> server_;  // the last one that was asked
  unsigned resends_ = 0;
  std::uint16_t answered_status_ = 0;            // by the server, finally
  bool is_counted_ = false;                      // which its pool knows already
  bool server_failed_ = false;                   // in this try, which its pool knows
  PasswordDesk::Wait* password_wait_ = nullptr;  // while it is compared
  std::string challenge_;  // WWW-Authenticate, of a client that has not shown who it is
  uring::Clock::time_point token_ends_ = uring::Clock::time_point::max();
  bool keeps_client_ = false;
};

}  // namespace gateway
