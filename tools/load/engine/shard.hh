// One thread's share of a run: a loop, its connections, and the schedule that they follow. It takes
// orders (a phase begins, a storm, the end) and hands its tally over once an interval.
//
// The loop's timers are as coarse as 8 ms. What is due more exactly, messages and new connections,
// is looked at before each turn: the turn waits until then at the most.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tools/load/engine/bad_crowd.hh"
#include "tools/load/engine/connection.hh"
#include "tools/load/engine/order.hh"
#include "tools/load/engine/schedule.hh"

namespace load {

// What a shard is given: its place among all, and when the run began.
struct ShardSeat {
  std::size_t index = 0;
  std::size_t shards = 1;
  uring::Clock::time_point began{};
  Duration interval{};
  std::uint64_t seed = 0;
  std::uint16_t run = 0;  // of all shards; that of another run is another one, most likely
};

class Shard final : private ConnectionOwner, private uring::BellOwner {
 public:
  // `tls` are the contexts of the targets, or null.
  Shard(tools::Runtime& runtime, const Plan& plan, const ShardSeat& seat, ShardPort& port,
        std::vector<std::unique_ptr<tls::ClientContext>> tls);
  ~Shard();

  // 0, or errno.
  [[nodiscard]] int prepare() { return bell_.open(); }
  uring::Mailbox<Order>& orders() { return orders_; }

  // Until it was ordered to end, and all connections are over.
  void run();

 private:
  using Time = uring::Clock::time_point;

  uring::Task<> story();
  uring::Task<> drain();
  uring::Task<> end_all();

  // Who is to take the place of a connection that is over.
  struct Successor {
    Time at;
    bool publisher;
    std::optional<std::size_t> storm;
  };

  void begin_phase(const Order& order);
  void finish_messages(Time now);
  double offset() const;

  void on_due();
  void send_due(Time now);
  bool is_covered();
  Connection* next_open();

  // In shard_connections.cc.
  void plan_connections(const Order& order, Time now);
  void begin_storm(const Order& order);
  Time next_due() const;
  void start_due(Time now);
  void churn();
  void start_connection(const Successor* successor);
  ShardTarget& next_target();
  void reopen_later(const Connection& connection);
  std::size_t wanted(Time now) const;
  void let_go_of_surplus(Time now);
  bool is_hopeless() const;
  bool first_attempt_is_due(Time now) const;
  void give_up_opening();

  void on_interval();
  void on_look();
  void hand_over();
  std::uint64_t pending() const;
  void publish();

  void waits(Connection& connection) override;
  void opened(Connection& connection) override;
  void closing(Connection& connection) override;
  void over(Connection& connection) override;
  void rung() override;

  uring::Loop& loop_;
  const Plan& plan_;
  const ShardSeat seat_;
  ShardPort& port_;
  std::vector<std::unique_ptr<tls::ClientContext>> tls_;
  uring::Bell bell_;
  uring::Mailbox<Order> orders_;
  std::unique_ptr<Tally> tally_;
  Shared shared_;
  BadCrowd bad_;

  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> open_;
  std::vector<std::unique_ptr<Connection>> dead_;  // until this turn is over
  std::vector<Successor> reopen_;                  // a heap, the earliest first
  std::vector<Reconnect> storms_;                  // how each storm's connections come back
  std::vector<Connection*> publishers_;            // those that are open and send
  std::size_t turn_ = 0;                           // of these
  std::size_t opening_ = 0;
  std::size_t slots_ = 0;    // connections begun, each with all that came in its place
  std::size_t settled_ = 0;  // first attempts that have opened or failed
  std::uint64_t first_attempts_ = 0;
  bool begun_ = false;  // the first phase
  bool ever_open_ = false;
  std::uint64_t last_id_ = 0;

  Order phase_{};
  Time phase_began_{};
  std::size_t connections_before_ = 0;  // wanted when it began
  Schedule messages_;
  double covered_ = 0;  // messages of a schedule that is only partly for those that are open
  Schedule connects_;
  std::optional<Order> end_;
  std::size_t phase_of_tally_ = 0;
  std::chrono::nanoseconds cpu_before_{};
  std::chrono::nanoseconds wait_before_{};

  uring::Event woken_;
  uring::ReadyMember<&Shard::on_due> due_{*this};
  uring::TimerMember<&Shard::on_interval> interval_;
  uring::TimerMember<&Shard::on_look> look_;
  uring::Task<> story_;
};

}  // namespace load
