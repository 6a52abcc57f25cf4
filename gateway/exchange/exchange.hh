// One request on a client's connection, from its head to its log line: route, server, response, or
// the WebSocket that it becomes. The two bodies are pumped side by side.
//
//   receive its head -> judge -> dial -> forward -+-> response -> settle
//                                 ^               +-> a Tunnel, and nothing is left of the exchange
//                                 '-- again, where the request may be sent again
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
#include "gateway/exchange/request_side.hh"
#include "gateway/exchange/response_side.hh"
#include "gateway/link/farewell.hh"
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
  bool judge();
  // What to do; true: a server is asked.
  bool follow(const Judged::Refusal& refusal);
  bool follow(const Judged::Redirect& redirect);
  bool follow(const Judged::Answer& answer);
  bool follow(const Judged::LastHop& last_hop);
  bool follow(const Judged::Proxy& proxy);
  bool follow(const Judged::Tunnel& tunnel);
  void answer_with(const config::Answer& answer, const config::HeaderChanges& changes);

  // forward.cc
  uring::Task<> proxy();
  uring::Task<bool> dial();
  void watch_client_while_dialling();
  uring::Task<Outcome> forward();
  Outcome take_response_head(const ResponseSide::HeadIn& head);
  Outcome take_end_of_upstream();
  void begin_response();
  bool may_send_again() const;
  Outcome open_tunnel();
  std::optional<ws::Deflate> agree_on_compression(std::span<const std::string_view> offers);

  // ending.cc
  void settle();
  void reply(std::uint16_t status);
  bool may_keep_client();
  void release_upstream();
  Farewell farewell_to_upstream() const;
  void account();

  Facts facts_;
  std::optional<OneUnderWay> under_way_;  // from its head to its log line
  uring::Clock::time_point begun_;
  ClientStream client_;
  Presence presence_;
  ResponseSide response_;
  RequestSide request_;
  uring::BlockPool::Owned<Dialler> dialler_;
  UpstreamServer* server_ = nullptr;  // the last one that was asked
  unsigned resends_ = 0;
  bool keeps_client_ = false;
};

}  // namespace gateway
