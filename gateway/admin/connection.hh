// A client of the admin listener, as one story: TLS where there is such, then requests in turn, or
// a WebSocket, and a farewell. Whatever it waits for has a deadline, but the service's own answers.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "gateway/admin/gate.hh"
#include "gateway/admin/service.hh"
#include "gateway/link/link.hh"
#include "proto/http/request.hh"
#include "uring/task.hh"
#include "uring/timer.hh"

namespace gateway::admin {

class FeedTalk;
class Server;

class Connection {
 public:
  static constexpr std::uint32_t kHeadBytesMax = 16 * 1024;
  static constexpr std::size_t kBodyBytesMax = 256 * 1024;
  // For a TLS handshake, a request, or the taking of what it is sent.
  static constexpr std::chrono::seconds kPatience{10};
  // After the last bytes for the client: how long, and until how much, it is read and thrown away.
  static constexpr std::chrono::seconds kLingerTime{2};
  static constexpr std::uint64_t kLingerBytes = 1024 * 1024;

  // `contexts` null: in plain text.
  Connection(Server& server, int descriptor, std::shared_ptr<tls::ServerContexts> contexts);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  // Every wait ends, and no farewell.
  void cut();
  // By the settings that there are now: whoever is told a feed, or sent a stream, and may not ask
  // for it any more. What a certificate has shown holds as long as its connection.
  void judge_again();
  // For a request, of which nothing has come yet.
  bool is_waiting() const { return is_waiting_; }

  uring::BlockPool& frames() { return client_.frames(); }

 private:
  struct Pending;
  struct Upgrade {
    Feed feed;
    std::string key;
  };
  uring::Task<> story();
  uring::Task<bool> serve_one();
  uring::Task<bool> receive_head(http::RequestHead& head);
  uring::Task<bool> receive_body(const http::RequestHead& head, std::string& body);
  std::expected<Request, Reply> judge(const http::RequestHead& head);
  std::optional<Upgrade> upgrade_of(const http::RequestHead& head, const Request& request) const;
  uring::Task<Reply> ask(Request request);
  uring::Task<bool> send(Reply reply);
  uring::Task<bool> send_more(const Reply& reply);
  uring::Task<std::string> next_piece(const Reply& reply);
  uring::Task<> talk(Upgrade upgrade);
  uring::Task<> farewell();
  void expect_within(std::chrono::seconds time);
  void on_deadline();
  void on_start_or_end();
  void on_left();
  bool is_over() const {
    return cut_ || client_.send_failed() || client_.end() == uring::LinkEnd::kAborted;
  }
  proto::Bytes head_bytes() const { return proto::as_bytes(std::string_view(head_)); }

  Server& server_;
  Link client_;
  std::shared_ptr<tls::ServerContexts> contexts_;
  std::string input_;  // received, and not a part of what was answered
  std::string head_;
  Credentials credentials_;  // there
  Wish wish_ = Wish::kLook;
  FeedTalk* talk_ = nullptr;          // while there is one
  std::shared_ptr<Pending> pending_;  // what the service is asked
  uring::TimerMember<&Connection::on_deadline> deadline_;
  uring::ReadyMember<&Connection::on_start_or_end> start_or_end_{*this};
  uring::ReadyMember<&Connection::on_left> left_{*this};
  bool is_waiting_ = false;
  bool streams_ = false;       // an answer whose end is not known yet
  bool has_left_ = false;      // while nothing was there to be sent
  bool is_cut_short_ = false;  // an answer
  bool keeps_ = false;
  bool head_only_ = false;
  bool is_1_0_ = false;
  bool cut_ = false;
  bool started_ = false;
  uring::Task<> story_;
};

}  // namespace gateway::admin
