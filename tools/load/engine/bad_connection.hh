// A connection that misbehaves on purpose: it opens, as far as its kind does, then it does what its
// kind does (bad_kinds.cc) until the target ends it, or the run does. What becomes of it is counted
// apart from everything else (Tally::bad). Owned by the shard's BadCrowd; destroyed after it was
// told that the connection is over.
#pragma once

#include <memory>
#include <string>

#include "tools/load/engine/bad_frames.hh"
#include "tools/load/engine/connection.hh"

namespace load {

class BadConnection;

class BadOwner {
 public:
  // Nothing of the connection runs any more once this turn of the loop is over.
  virtual void over(BadConnection& connection) = 0;

 protected:
  ~BadOwner() = default;
};

class BadConnection {
 public:
  using Time = uring::Clock::time_point;

  BadConnection(BadKind kind, Shared& shared, BadOwner& owner, ShardTarget& target);
  virtual ~BadConnection() = default;
  BadConnection(const BadConnection&) = delete;
  BadConnection& operator=(const BadConnection&) = delete;

  void start() { story_.start(); }
  // It is ended by a reset: since there are to be fewer, or as the run ends. over() follows.
  enum class Stop : std::uint8_t { kNone, kSurplus, kRunEnds };
  void stop(Stop why);

  BadKind kind() const { return kind_; }
  bool is_opening() const { return !was_open_ && !refused_; }
  bool was_refused() const { return refused_; }
  bool is_stopped() const { return stop_ != Stop::kNone; }

  std::size_t place = 0;  // among the crowd's

 protected:
  // How far it gets in order, before it misbehaves.
  enum class Depth : std::uint8_t { kConnected, kSecured, kOpen };
  virtual Depth depth() const { return Depth::kOpen; }
  // From there on, until it is over.
  virtual uring::Task<> misbehave() = 0;
  // What it does now and then, while it is armed.
  virtual void tick() {}

  // Reads all that comes, until the peer has ended it, or stop().
  uring::Task<> read_to_end();
  // As long as nothing is read. It ends early where the peer has gone.
  uring::Task<> pause(Duration time);
  bool peer_has_gone() const { return gone_ || link_.send_failed(); }
  void tick_in(Duration time) { tick_.arm(shared_.now() + time); }
  // It resets the connection by itself then.
  void reset_in(Duration time) { limit_.arm(shared_.now() + time); }
  // Of a message like the others', at least so long: its payload.
  // As much of it as there is room for.
  void say(proto::Bytes bytes);
  std::vector<std::byte> message(std::size_t bytes_least);
  // That it asks for in TLS.
  const std::string& server_name() const;
  // Servers that send by themselves, or on to others, hear no messages from here.
  bool may_speak() const;

  Shared& shared_;
  ShardTarget& target_;
  tools::Link link_;

 private:
  uring::Task<> run();
  uring::Task<bool> open();
  uring::Task<bool> shake_hands();
  uring::Task<bool> upgrade();
  void hear(proto::Bytes bytes);
  void note_end();
  void on_limit();
  void on_tick() { tick(); }
  void on_left();
  BadCitizens& counts() { return shared_.tally->bad[kind_]; }

  const BadKind kind_;
  BadOwner& owner_;
  Time began_{};  // to misbehave
  Stop stop_ = Stop::kNone;
  bool was_open_ = false;
  bool refused_ = false;
  bool upgraded_ = false;
  bool reset_by_us_ = false;
  bool pauses_ = false;
  bool gone_ = false;
  CloseWatch closes_;
  std::optional<std::uint16_t> code_;
  std::string status_line_;  // the first bytes of an answer in HTTP
  uring::Event pause_over_;
  uring::TimerMember<&BadConnection::on_limit> limit_;
  uring::TimerMember<&BadConnection::on_tick> tick_;
  uring::ReadyMember<&BadConnection::on_left> left_{*this};
  uring::Task<> story_;
};

// `number` among those of its kind, from 0 on: some kinds have several ways, in turn.
std::unique_ptr<BadConnection> make_bad(BadKind kind, Shared& shared, BadOwner& owner,
                                        ShardTarget& target, std::uint64_t number);

}  // namespace load
