// A client's connection, as one story: TLS, a request, its exchange, a farewell.
//
// Everything that ends it calls end(): a timer, a pump, the peer's leaving, the stop of the
// gateway. The first End wins; every pending wait returns, the frames unwind, what is due is
// flushed, and the shard forgets the connection when nothing of it is in flight.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/config/config.hh"
#include "gateway/end.hh"
#include "gateway/link.hh"

namespace gateway {

class Exchange;
class Shard;

class Connection {
 public:
  // After the last bytes for the client: how long, and how much, is read and thrown away until it
  // closes, so that no reset destroys what it has not read yet.
  static constexpr std::chrono::seconds kLingerTime{2};
  static constexpr std::size_t kLingerBytes = 256 * 1024;
  // How long the client may take to take what is left for it.
  static constexpr std::chrono::seconds kFlushTime{30};

  // Without `contexts` the client speaks plain HTTP.
  Connection(Shard& shard, int descriptor, tls::ServerContexts* contexts, std::uint64_t id);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();

  void end(End end);
  bool ended() const { return end_.has_value(); }
  const End& how_ended() const { return *end_; }

  // The gateway stops: at once where nothing is under way, politely where something is.
  void stop();
  // No more patience: no farewell either.
  void cut();
  bool is_cut() const { return cut_; }

  // Calls end() when nothing has touched the connection for so long.
  void set_deadline(std::chrono::milliseconds limit, End end);
  void touch();
  void clear_deadline() { deadline_.disarm(); }

  Shard& shard() { return shard_; }
  Link& client() { return client_; }
  bool secure() const { return contexts_ != nullptr; }
  std::uint64_t id() const { return id_; }
  const std::string& client_address() const { return client_address_; }
  std::uint16_t client_port() const { return client_port_; }

 private:
  uring::Task<> story();
  uring::Task<> shake_hands();
  uring::Task<> farewell();
  uring::Task<> linger();
  void explain_tls_failure();
  void learn_client_address();
  void on_start() { story_.start(); }
  void on_deadline();
  void on_forgotten();

  Shard& shard_;
  tls::ServerContexts* contexts_;
  Link client_;
  std::unique_ptr<Exchange> exchange_;
  std::optional<End> end_;
  uring::ReadyMember<&Connection::on_deadline> deadline_passed_{*this};
  uring::Timer deadline_;
  uring::ReadyMember<&Connection::on_start> start_{*this};
  uring::ReadyMember<&Connection::on_forgotten> forgotten_{*this};
  std::chrono::milliseconds limit_{0};
  uring::Clock::time_point touched_;
  End deadline_end_;
  std::string client_address_;
  std::string tls_failure_;
  std::uint64_t id_;
  std::uint16_t client_port_ = 0;
  bool taking_leave_ = false;
  bool cut_ = false;
  uring::Task<> story_;
};

}  // namespace gateway
