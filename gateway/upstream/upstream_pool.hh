// A pool as one shard has it, of one generation: its configuration, its servers, its TLS, and whose
// turn it is. It keeps that generation alive, and is held by the shard's view of it and by whoever
// dials one of its servers. So what is read from the configuration through a pool is there as long
// as the pool. Where its servers change while the generation serves, another pool takes its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/upstream/balance/candidate.hh"
#include "gateway/upstream/pool_line.hh"
#include "gateway/upstream/server_slot.hh"
#include "gateway/upstream/upstream_server.hh"
#include "proto/tls/context.hh"
#include "uring/counted.hh"
#include "uring/kernel.hh"

namespace gateway {

class Upstreams;

// What a request says of the server that it is for.
struct ServerWish {
  std::size_t stuck_to = balance::kNobody;  // the cookie of a sticky pool names it
  std::optional<std::uint64_t> key = {};    // the hash of what Balance::hash goes by
};

class UpstreamPool : public uring::Counted {
 public:
  // Made by Upstreams::make_pool().
  UpstreamPool(Upstreams& owner, config::SharedGeneration generation, const config::Pool& pool,
               config::ServerList list, std::vector<uring::Held<UpstreamServer>> servers,
               std::shared_ptr<tls::ClientContext> tls, uring::Held<PoolLine> line);
  ~UpstreamPool();

  const config::Pool& config() const { return pool_; }
  std::size_t size() const { return servers_.size(); }
  UpstreamServer& server(std::size_t index) const { return *servers_[index]; }
  const config::Server& config_of(std::size_t index) const { return (*list_)[index]; }
  std::span<const config::Address> addresses_of(std::size_t index) const {
    return config_of(index).addresses;
  }
  tls::ClientContext* tls() const { return tls_.get(); }  // null: plain

  // The server that is called so; kNobody: there is none.
  std::size_t find(const std::string& text) const;

  // Those who wait for a server of it, on this shard.
  PoolLine& line() const { return *line_; }
  PoolState& state() const { return line_->state(); }

  // Whether there is a server that is up, or may be asked nevertheless, by anybody, whatever it has
  // to do.
  bool has_takers() const;
  // It may get something new now, from those that it is known to: it is neither drained nor ill,
  // and has room.
  bool takes(std::size_t index, Purpose purpose = Purpose::kRequest) const;

  // False: whichever server it is, no more handshakes may be under way (upgrades_max).
  bool has_upgrades_left() const;

  // Where an exchange begins to try: the server that it is stuck to while that takes anything, or
  // who comes next. kNobody: nobody takes anything.
  std::size_t choose(const ServerWish& wish, Purpose purpose = Purpose::kRequest);
  // And then, beside those: it moves no turn.
  std::size_t choose_next(const ServerWish& wish, std::span<const std::size_t> tried,
                          Purpose purpose = Purpose::kRequest);
  // It takes something new, and that is what it gets; nothing: it does not after all. Where that is
  // the trial behind its ejection, it is the only one for `trial_time`, or until its outcome.
  ServerSlot admit(std::size_t index, Purpose purpose, uring::Clock::duration trial_time);

  // Of those that are merely ejected one that has room, for a request that all others have failed;
  // kNobody: there is none. What it answers then ends its ejection.
  std::size_t choose_ejected(std::span<const std::size_t> tried, Purpose purpose) const;
  // Whether one that is up is not among them, be it full.
  bool has_untried(std::span<const std::size_t> tried) const;
  ServerSlot admit_ejected(std::size_t index, Purpose purpose);

  // What came of a request that it was sent, or could not be; `slot` is the one of admit(). `cause`
  // is for the log.
  void note_success(std::size_t index, ServerSlot& slot);
  void note_failure(std::size_t index, ServerSlot& slot, std::string_view cause);
  // It has said that it leaves.
  void note_leaving(std::size_t index, std::uint16_t status);

  // The servers at this moment: who is not up has no weight, but who is merely full has. Slow
  // starts count by now, or as if they were over.
  enum class Weights : std::uint8_t { kByNow, kWhole };
  std::span<const balance::Candidate> look(Weights weights);

  // What the cookie of a sticky pool names a server by, and which server that is. Who is given one
  // learns neither address nor name.
  const std::string& token_of(std::size_t index) const { return tokens_[index]; }
  std::size_t server_of_token(std::string_view token) const;

  // The shards begin with different servers.
  void move_turn() { choose({}); }

  // Of the addresses that connections to the servers come from the next one of that family; none:
  // the system chooses.
  uring::Source next_source(int family);

 private:
  friend class UpstreamConnection;
  friend class Upstreams;

  void look_at_servers(Purpose purpose);
  void weigh(std::size_t index, Weights weights, bool takes);
  std::size_t choose_by_balance(const ServerWish& wish);
  std::uint64_t part_of(std::size_t index) const;

  // upstream_pool_health.cc
  bool is_up(std::size_t index) const;
  bool is_any_up() const;
  bool has_room(std::size_t index, Purpose purpose) const;
  // `any_up`: see is_any_up(), which is asked once for all servers.
  bool may_be_asked(std::size_t index, bool any_up) const;
  bool falls_back_to(std::size_t index, bool any_up) const;
  bool may_eject(std::size_t index) const;
  ServerSlot::Bounds bounds_of(std::size_t index) const;

  Upstreams& owner_;
  config::SharedGeneration generation_;
  const config::Pool& pool_;
  config::ServerList list_;
  std::vector<uring::Held<UpstreamServer>> servers_;  // as in the list
  std::vector<std::uint32_t> eras_;                   // of each, in which it serves
  std::shared_ptr<tls::ClientContext> tls_;
  std::vector<balance::Candidate> candidates_;  // as in the list, at the last look
  std::vector<std::string> tokens_;             // likewise; empty: nobody is stuck
  uring::Held<PoolLine> line_;                  // the same one in each generation
  std::size_t source_turn_ = 0;
};

}  // namespace gateway
