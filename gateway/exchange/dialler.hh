// A request's way to a server: whose turn it is in its pool, the wait until there is a place at
// one, which connection it goes over, and how long the dialling may take.
//
//                .-> [in line, or on hold] -.
//   take_kept() -|                          |
//                 >-> a place at a server --> a connection, the exchange's until keep() or close()
//   dial() ------'                                                                  |
//     ^                                                                             v
//     '----------------[pass_over()]------------------ where the request may be sent again
//
// It belongs to an exchange, from the routing of the request until a WebSocket is open. What it
// dials meanwhile, and its place in a line, are its own; whatever ends the client's connection then
// calls abort().
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/link/end.hh"
#include "gateway/upstream/upstreams.hh"

namespace gateway {

class Connection;

class Dialler final : private InLine {
 public:
  // When another address is tried beside one that has not answered (RFC 8305 section 5), and how
  // many are at the most.
  static constexpr std::chrono::milliseconds kAddressDelay{250};
  static constexpr std::size_t kSideBySide = 4;

  // While all servers of a pool refuse, and [pool.NAME] hold has time left: when they are tried
  // again.
  static constexpr std::chrono::milliseconds kHoldPause{100};
  // Of a pool, over all shards, that wait while no server is up.
  static constexpr std::size_t kHeldMax = 1000;

  // What the request says of the server that it is for, as that pool has it.
  using WishOf = std::function<ServerWish(const UpstreamPool& pool)>;

  // `route` and `pool` are of one generation, which the exchange holds. Each server is chosen in
  // the newest pool of that name, which may be another one by then.
  Dialler(Connection& connection, const config::Route& route, UpstreamPool& pool, WishOf wish_of,
          Purpose purpose);
  ~Dialler();
  Dialler(const Dialler&) = delete;
  Dialler& operator=(const Dialler&) = delete;

  // A kept connection to the server whose turn it is, or null: also where it has to wait for one.
  UpstreamConnection* take_kept();

  // A connection to the server whose turn it is, or where it cannot be dialled to one of those
  // behind it: a kept one where those may be used, or a new one. Null: the client's connection has
  // ended, which it does with the reason if no server can be dialled.
  enum class Kept : bool { kNotUsed, kUsed };
  uring::Task<UpstreamConnection*> dial(Kept kept);

  // The one that was asked last: precondition, has_asked().
  UpstreamServer& server() const { return pool_->server(asked_); }
  // One was found that takes it, or tried, and the pool has it still.
  bool has_asked() const { return asked_ != balance::kNobody; }
  std::size_t server_index() const { return asked_; }
  // That one's.
  const UpstreamPool& pool() const { return *pool_; }
  // Whether that is the server whose cookie the client has shown.
  bool is_at_known_server() const { return asked_ == wish_.stuck_to; }
  // This one has given no answer: the next one's turn. False: all have had theirs.
  bool pass_over();
  // Whether the pool's budget has something left for one more try, which it pays.
  bool may_retry();

  // What came of the request; `slot` is the one that its connection holds. Judged by what the
  // newest configuration says of the server, if its pool has it still.
  void note_success(ServerSlot& slot);
  void note_failure(ServerSlot& slot, std::string_view cause);
  void note_leaving(std::uint16_t status);
  // By which it is judged.
  const config::PoolHealth& terms() const { return judged().pool.config().health; }

  bool dialling() const { return dialling_; }
  // While it dials: the client's connection has ended.
  void abort() { progress_.set(); }
  // While it dials: the connection's deadline has passed, and the next server's turn comes.
  void time_over();

  uring::BlockPool& frames();

 private:
  // Among the others of its pool as they are now; kNobody: it is not there any more.
  struct Judged {
    UpstreamPool& pool;
    std::size_t index;
  };
  Judged judged() const;
  bool claim();
  void take_newest();
  bool try_now() override;
  bool takes_any() const override { return tried_.empty(); }
  UpstreamConnection* take_kept_there();
  UpstreamConnection& give(UpstreamConnection& connection);
  void note_failed_dial();

  // dialler_wait.cc
  uring::Task<bool> await_place(std::optional<CountedWait>& held);
  bool may_hold() const;
  uring::Clock::duration hold_left();
  uring::Task<bool> pause(std::optional<CountedWait>& held);

  uring::Task<UpstreamConnection*> dial_server();
  UpstreamConnection* look_at_attempts();
  bool all_are_late() const;
  void begin_attempt(std::size_t address, std::size_t untried);
  void give_up_attempts();
  void write_preface();

  Connection& connection_;
  Upstreams& upstreams_;
  const config::Route& route_;
  uring::Held<UpstreamPool> pool_;  // that has what is asked, and was chosen in
  const WishOf wish_of_;
  ServerWish wish_;  // in that pool, as are the places below
  Purpose purpose_;
  ServerSlot slot_;                                 // until a connection has it
  std::size_t turn_ = balance::kNobody;             // who is to be tried next
  std::size_t asked_ = balance::kNobody;            // who was tried last
  std::pmr::vector<std::size_t> tried_;             // before that one
  std::pmr::vector<UpstreamConnection*> attempts_;  // in the order in which they began
  uring::Event progress_;                           // one of them has got on, or all are to end
  uring::Clock::time_point ends_;                   // the server's turn
  std::string preface_;                             // goes first on each connection
  // An address that could not be dialled for want of a source: once more, from the next one.
  std::optional<std::size_t> again_;
  std::size_t sources_tried_ = 0;                      // beside the first one, in the server's turn
  End failure_;                                        // of the last server
  std::optional<uring::Clock::time_point> hold_ends_;  // since it has waited for one to be up
  bool last_resort_ = false;                           // whose turn it is, is ejected
  bool dialling_ = false;
  bool timed_out_ = false;
};

}  // namespace gateway
