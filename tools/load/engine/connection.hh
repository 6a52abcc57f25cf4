// One connection: connects, shakes hands, sends what is due, notes what comes back, ends. What its
// protocol adds is in ws_connection.hh and http_connection.hh. run() reads top to bottom and reads
// what comes; pump() lives only while more is due than the link has room for. Reading never waits
// for room to write, else both sides could wait for each other. Owned by the shard; destroyed after
// it was told that the connection is over.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/http/response.hh"
#include "tools/common/runtime.hh"
#include "tools/load/engine/compression.hh"
#include "tools/load/engine/sequence_window.hh"
#include "tools/load/engine/tally.hh"
#include "tools/load/engine/think_time.hh"
#include "tools/load/plan.hh"

namespace load {

class Connection;

class ConnectionOwner {
 public:
  // It is past its handshakes, and waits before it is open, once: others may shake hands now.
  virtual void waits(Connection& connection) = 0;
  virtual void opened(Connection& connection) = 0;
  // It was opened, and takes no more messages: once, at the latest before over(). What it was still
  // owed is unsent, but for what take_owed() takes now.
  virtual void closing(Connection& connection) = 0;
  // Nothing of the connection runs any more once this turn of the loop is over.
  virtual void over(Connection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

// A target as a shard has it.
struct ShardTarget {
  const Target& target;
  tls::ClientContext* tls = nullptr;  // where it is secure
  std::string request;                // of HTTP: a whole one, or the head of the upgrade
  tls::Ticket ticket{};               // the newest
  std::uint64_t begun = 0;            // connections, of all shards
  std::uint64_t sources_used = 0;
};

// What all connections of a shard share.
struct Shared {
  tools::Runtime& runtime;
  const Plan& plan;
  Tally* tally = nullptr;
  std::mt19937_64 random{};
  std::vector<std::byte> scratch{};
  std::vector<ShardTarget> targets{};
  http::ResponseHead answer{};  // while it is read: its memory is used again
  bool closed_loop = true;
  bool sending = false;  // false before the first phase, and from the drain on
  std::chrono::nanoseconds unix_offset{};  // from the loop's clock to Unix time
  std::vector<std::byte> composing{};      // one message at a time
  std::unique_ptr<Codecs> codecs{};        // where permessage-deflate is offered

  uring::Clock::time_point now() const { return runtime.loop().now(); }
};

class Connection {
 public:
  using Time = uring::Clock::time_point;

  Connection(Shared& shared, ConnectionOwner& owner, ShardTarget& target, std::uint64_t id);
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() { story_.start(); }

  // A message was due then. It goes now, or as soon as one fewer is in flight; never, once the
  // connection is closing.
  void owe(Time due);
  // What it is owed now is never sent.
  void forget_owed();
  bool is_closing() const { return closing_; }
  Fifo<Time> take_owed() { return std::exchange(owed_, {}); }
  // Sends what may be sent, since something has changed.
  void go_on();
  // Gives up messages that were sent before, and have no answer. Where answers carry no number
  // another connection takes its place: one that still came would be taken for that to a later one.
  void give_up_before(Time time);

  // Ends it in order; whatever state it is in, over() follows.
  void end();
  // The same without waiting for the peer, which sees a reset.
  void abort();

  bool is_open() const { return open_; }
  bool was_open() const { return was_open_; }
  bool was_answered() const { return was_answered_; }
  std::uint64_t pending() const { return window_.pending(); }

  std::uint64_t serial = 0;                    // among all of the run, from 0 on without a gap
  std::size_t place = 0;                       // among the shard's connections
  std::size_t open_place = 0;                  // among those that are open
  std::optional<std::size_t> publisher_place;  // among those that send, while it is among them
  bool publisher = true;                       // it sends
  bool first_attempt = true;                   // it takes nobody's place
  bool waited = false;                         // its owner was told that it waits
  bool came_to_nothing = false;                // the peer has ended it before any answer
  bool leaving = false;                        // since there are to be fewer
  std::optional<std::size_t> storm;  // which has dropped it, or whom it takes the place of
  Reconnect successor;               // whether another one takes its place, and when

 protected:
  // After TCP and TLS; false: it has failed, and has said so.
  virtual uring::Task<bool> upgrade() = 0;
  // What comes before the load; false: it has failed, and has said so.
  virtual uring::Task<bool> prepare();
  // Until there is nothing more to be read.
  virtual uring::Task<> converse() = 0;
  // Writes what is due and fits; gives whether that was all.
  virtual bool write_due() = 0;
  // Says goodbye, now or once what is under way allows it.
  virtual void say_goodbye() = 0;
  virtual bool answers_have_numbers() const = 0;
  // Of what comes unasked, and has numbers.
  virtual void give_up_pushes_before(Time) {}

  // While it is not open yet: so long may it take from here on.
  void allow(Duration time) { limit_.arm(shared_.now() + time); }
  // Until then nothing but the peer ends it. A read that goes on until then ends with nothing;
  // pause_is_over() says whether it has for that reason, and then reading may go on.
  void pause(Duration time);
  bool pause_is_over();
  bool may_send() const;
  struct Taken {
    std::uint64_t number;
    Time due;
  };
  // Takes the next message that is due. Precondition: may_send().
  Taken take_due(std::uint64_t bytes);
  void note(const SequenceWindow::Verdict& verdict, std::uint64_t bytes);
  // Counts an error, until the connection is closing.
  void fail(std::string_view kind, std::string_view example = {});
  // It ends by our will, and another one takes its place, unless the clock begins them.
  void give_way();
  // What was sent before and was not answered took at least until now.
  void note_waited(Time before);
  // No new message goes out from here on.
  void stop_sending();
  // How the link has ended, in words.
  std::string how_it_ended();
  Tally& tally() { return *shared_.tally; }

  Shared& shared_;
  ShardTarget& target_;
  const std::uint64_t id_;
  tools::Link link_;
  SequenceWindow window_;
  Time connect_began_{};
  Time upgrade_began_{};
  bool open_ = false;
  bool closing_ = false;  // nothing new is sent
  bool ended_by_us_ = false;
  bool failed_ = false;    // there was an error: examples need not be made any more
  bool in_order_ = false;  // the peer has said that it has read all that we sent

 private:
  uring::Task<> run();
  uring::Task<bool> open();
  uring::Task<bool> shake_hands();
  uring::Task<> pump();
  bool bind_source();
  bool can_write() const;
  void think(std::uint64_t answers);
  void settle();
  void on_limit();

  ConnectionOwner& owner_;
  Fifo<Time> owed_;  // in an open loop
  std::uint64_t messages_left_;
  Time opened_at_{};
  bool was_open_ = false;
  bool was_answered_ = false;
  bool pausing_ = false;
  Time pause_began_{};
  std::unique_ptr<ThinkTime> thinking_;  // once there was an answer to think about
  bool pumping_ = false;
  uring::Event pump_over_;
  uring::TimerMember<&Connection::on_limit> limit_;
  uring::Task<> story_;
  uring::Task<> pump_story_;
};

// By the target's protocol.
std::unique_ptr<Connection> make_connection(Shared& shared, ConnectionOwner& owner,
                                            ShardTarget& target, std::uint64_t id);

}  // namespace load
