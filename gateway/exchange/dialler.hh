// A request's way to a server: whose turn it is in its pool, which connection it goes over, and how
// long the dialling may take.
//
//   take_kept() -.
//                 >-> a connection, the exchange's until keep() or close()
//   dial() ------'                   |
//     ^                              v
//     '--[pass_over()]-- where the request may be sent again
//
// It belongs to an exchange, from the routing of the request until a WebSocket is open. What it
// dials meanwhile is its own; whatever ends the client's connection then calls abort().
#pragma once

#include <chrono>
#include <cstddef>
#include <memory_resource>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/link/end.hh"
#include "gateway/upstream/upstreams.hh"

namespace gateway {

class Connection;

class Dialler {
 public:
  // When another address is tried beside one that has not answered (RFC 8305 section 5), and how
  // many are at the most.
  static constexpr std::chrono::milliseconds kAddressDelay{250};
  static constexpr std::size_t kSideBySide = 4;

  // `route` and `pool` are of one generation, which the exchange holds.
  Dialler(Connection& connection, const config::Route& route, UpstreamPool& pool);
  Dialler(const Dialler&) = delete;
  Dialler& operator=(const Dialler&) = delete;

  // A kept connection to the server whose turn it is, or null.
  UpstreamConnection* take_kept();

  // A connection to the server whose turn it is, or where it cannot be dialled to one of those
  // behind it: a kept one where those may be used, or a new one. Null: the client's connection has
  // ended, which it does with the reason if no server can be dialled.
  enum class Kept : bool { kNotUsed, kUsed };
  uring::Task<UpstreamConnection*> dial(Kept kept);

  // Whose turn it is, or was when it ended.
  UpstreamServer& server() const { return pool_.server(turn()); }
  // This one has given no answer: the next one's turn. False: all have had theirs.
  bool pass_over();

  bool dialling() const { return dialling_; }
  // While it dials: the client's connection has ended.
  void abort() { progress_.set(); }
  // While it dials: the connection's deadline has passed, and the next server's turn comes.
  void time_over();

  uring::BlockPool& frames();

 private:
  std::size_t turn() const { return (first_ + passed_over_) % pool_.size(); }
  uring::Task<UpstreamConnection*> dial_server();
  UpstreamConnection* look_at_attempts();
  bool all_are_late() const;
  void begin_attempt(std::size_t address, std::size_t untried);
  void give_up_attempts();

  Connection& connection_;
  Upstreams& upstreams_;
  const config::Route& route_;
  UpstreamPool& pool_;
  std::size_t first_;
  std::size_t passed_over_ = 0;
  std::pmr::vector<UpstreamConnection*> attempts_;  // in the order in which they began
  uring::Event progress_;                           // one of them has got on, or all are to end
  uring::Clock::time_point ends_;                   // the server's turn
  End failure_;                                     // of the last server
  bool dialling_ = false;
  bool timed_out_ = false;
};

}  // namespace gateway
