// One request on a client's connection, from its head to its log line: route, upstream, response,
// or the WebSocket that it becomes. The two bodies are pumped side by side.
//
// It owns the heads (only until they are passed on), the upstream link and the relay. Whatever goes
// wrong is told to the connection by end(); abort() makes every wait here return.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/config/config.hh"
#include "gateway/connection.hh"
#include "gateway/relay.hh"
#include "proto/http/body.hh"
#include "proto/http/request.hh"
#include "proto/http/response.hh"

namespace gateway {

class Exchange {
 public:
  // Nothing moved for so long while a body was under way: one of the two sides is gone.
  static constexpr std::chrono::seconds kBodyIdle{300};
  // A FIN so soon after the request's end belongs to it: the client has closed its sending side
  // only, and waits for the response.
  static constexpr std::chrono::milliseconds kFinWithRequest{5};
  // One that comes later may, too: but if the response has not ended after this moment, nobody
  // waits for it any more.
  static constexpr std::chrono::milliseconds kHalfCloseGrace{50};
  static constexpr std::size_t kLoggedTargetBytes = 512;

  explicit Exchange(Connection& connection);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  uring::Task<> run();
  void abort();

  // Ends an open WebSocket politely; false if there is none.
  bool stop_relay(const End& end);

  // What is left for the upstream goes to it, then it is closed.
  uring::Task<> close_upstream();

  bool under_way() const { return !request_line_.empty(); }
  bool is_websocket() const { return relay_.has_value(); }
  bool is_head_request() const { return method_ == http::Method::kHead; }
  // Nothing of a response has gone to the client, and it has asked for one.
  bool may_reply() const { return !response_begun_ && head_bytes_ > 0; }
  // The client has got a part of a response that will never be whole.
  bool response_is_cut() const { return response_begun_ && !response_complete_ && !relay_whole_; }
  // ... and could take it for the whole, were the connection closed properly.
  bool must_reset() const { return response_is_cut() && until_close_ && !connection_.secure(); }

  // After run(): no timer and no watch any more, and the log line.
  void finish();

 private:
  struct Heads;

  uring::Task<bool> receive_request();
  void refuse_request(const http::HeadError& error);
  bool find_route();
  bool judge_upgrade();
  uring::Task<bool> dial();
  uring::Task<bool> dial_server(const config::Server& server);
  uring::Task<> forward();
  void send_request_head();
  uring::Task<> pump_request();
  void pass_request_body(Bytes& bytes, http::BodyDecoder& body);
  uring::Task<bool> receive_response();
  bool take_response_head();
  uring::Task<> pump_response();
  void begin_response(http::BodyFraming framing);
  bool pass_response_body(Bytes bytes, http::BodyDecoder& body);
  bool accept_websocket();
  uring::Task<> run_websocket();
  void end_of_client();
  void end_of_upstream();
  void on_client_left();
  void on_grace_over();
  void watch_client();
  void log_request();
  void log_websocket();

  Connection& connection_;
  config::Snapshot config_;
  uring::Clock::time_point begun_;
  std::unique_ptr<Heads> heads_;
  std::unique_ptr<Link> upstream_;
  std::optional<Relay> relay_;
  uring::Task<> request_pump_;
  uring::Event request_done_;
  uring::ReadyMember<&Exchange::on_client_left> client_left_{*this};
  uring::ReadyMember<&Exchange::on_grace_over> grace_over_{*this};
  uring::Timer grace_;

  const config::Route* route_ = nullptr;
  const config::Server* server_ = nullptr;
  std::string request_line_;  // method, host and path as they are logged
  std::string detail_;        // of the End, where it is not static text
  std::uint64_t to_upstream_bytes_ = 0;
  std::uint64_t to_client_bytes_ = 0;
  std::size_t head_bytes_ = 0;
  uring::Clock::time_point watched_since_;
  int last_connect_error_ = 0;
  std::uint16_t status_ = 0;
  http::Method method_ = http::Method::kOther;
  bool websocket_ = false;
  bool client_is_1_0_ = false;
  bool request_sent_ = false;
  bool request_pump_runs_ = false;
  bool chunked_to_upstream_ = false;
  bool chunked_to_client_ = false;
  bool until_close_ = false;
  bool response_begun_ = false;
  bool response_complete_ = false;
  bool relay_whole_ = false;
};

}  // namespace gateway
