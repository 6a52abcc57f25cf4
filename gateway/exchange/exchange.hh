// One request on a client's connection, from its head to its log line: route, server, response, or
// the WebSocket that it becomes. The two bodies are pumped side by side.
//
//   receive_request -> judge -> dial -> forward -+-> pump_response -> settle
//                                ^               +-> a Tunnel, and nothing is left of the exchange
//                                '-- again, where the request may be sent again
//
// It owns the heads (until they are passed on), borrows a connection to a server, and ends with
// settle(): the reply of the gateway's own where nothing else was answered, the log line, and
// whether the client's connection goes on. Whatever goes wrong is told to the connection by end();
// abort() makes every wait here return.
#pragma once

#include <memory>
#include <memory_resource>
#include <optional>
#include <string>

#include "gateway/client/client_stream.hh"
#include "gateway/client/connection.hh"
#include "gateway/client/presence.hh"
#include "gateway/config/config.hh"
#include "gateway/exchange/dialler.hh"
#include "gateway/exchange/judge.hh"
#include "gateway/link/farewell.hh"
#include "gateway/rewrite/forward.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/upstream/upstreams.hh"
#include "proto/http/body.hh"
#include "proto/http/request.hh"
#include "proto/http/response.hh"

namespace gateway {

class Exchange {
 public:
  // How often a request is sent again at the most, where it may be.
  static constexpr unsigned kResendsMax = 3;

  explicit Exchange(Connection& connection);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Until the response is whole, or the connection has a tunnel.
  uring::Task<> run();
  void abort();

  bool under_way() const { return !request_line_.empty(); }

  // After run(), where there is no tunnel: the next request may follow on this connection; or how
  // it is to end.
  bool keeps_client() const { return keeps_client_; }
  Farewell farewell_to_client() const { return client_.farewell(); }

  // The connection's deadline has passed, which means this End, unless it is somebody else's fault.
  void on_deadline(const End& end);

  uring::BlockPool& frames() { return connection_.frames(); }

 private:
  struct Heads;
  const config::Config& config() const { return generation_->config(); }
  enum class Outcome : std::uint8_t { kEnded, kSendAgain, kTunnel };

  // request.cc
  bool take_head(const ClientStream::HeadIn& head);
  void refuse_request(const http::HeadError& error);
  void refuse(std::uint16_t status, std::string_view why);
  bool judge();
  void note_request();
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
  void send_request_head();
  bool pass_buffered_body();
  uring::Task<> pump_request();
  void pass_request_body(Bytes& bytes);
  void finish_request_body();
  void await_server();
  bool may_send_again() const;
  void release_upstream();
  Farewell farewell_to_upstream() const;

  // response.cc
  uring::Task<bool> receive_response();
  bool take_response_head();
  uring::Task<> pump_response();
  bool refuses_upload(std::uint16_t status) const;
  bool judges_trailers(const http::ResponseHead& response) const;
  void drop_surplus(std::size_t bytes);
  bool pass_response_body(Bytes bytes, http::BodyDecoder& body);
  void finish_response();
  bool open_tunnel();
  void end_of_upstream();

  // ending.cc
  void settle();
  void reply(std::uint16_t status);
  bool skip_buffered_body();

  // log.cc
  void log();
  void warn_of_failure(const End& end);

  Connection& connection_;
  uring::Held<ShardGeneration> generation_;
  uring::Clock::time_point begun_;
  uring::BlockPool::Owned<Heads> heads_;
  ClientStream client_;
  Presence presence_;

  // What was asked, and by whom.
  std::pmr::string request_line_;  // method, host and path as they are logged
  const config::Route* route_ = nullptr;
  http::Method method_ = http::Method::kOther;
  bool websocket_ = false;

  // Which server is asked, and how often.
  uring::BlockPool::Owned<Dialler> dialler_;
  UpstreamServer* server_ = nullptr;
  UpstreamConnection* upstream_ = nullptr;  // borrowed
  std::uint64_t upstream_sent_before_ = 0;  // on its connection, by earlier exchanges
  unsigned resends_ = 0;
  bool send_again_ = false;

  // How far the request has gone.
  uring::Task<> request_pump_;
  uring::Event request_done_;  // the pump's end
  http::BodyDecoder request_body_{{}};
  std::pmr::string request_trailers_;  // the trailer section, while it arrives
  std::uint64_t to_upstream_bytes_ = 0;
  bool body_read_beyond_input_ = false;
  bool chunked_to_upstream_ = false;
  bool request_pump_runs_ = false;
  bool request_whole_ = false;

  // How far the response has gone.
  std::pmr::string response_trailers_;
  std::uint64_t to_client_bytes_ = 0;
  std::optional<std::uint32_t> server_keeps_s_;  // what it says of its connection
  bool interim_passed_ = false;                  // a 1xx: something was answered
  // The client has not taken it yet, within the server's time or not: that is not the server's
  // fault.
  enum class Hold : std::uint8_t { kNone, kByClient, kTooLong };
  Hold hold_ = Hold::kNone;

  // What becomes of the two connections.
  bool upstream_reusable_ = false;
  Upstreams::Reuse upstream_reuse_ = Upstreams::Reuse::kAtOnce;
  bool keeps_client_ = false;
};

}  // namespace gateway
