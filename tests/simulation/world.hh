// The whole gateway on simulated kernels, with simulated clients and servers around it, on one
// thread and in a time of its own. Whoever has something to do does it; when nobody has, the time
// jumps to when somebody will.
//
//   actors act -> each shard that has something to do turns once -> the main thread's loop,
//   likewise
//
// After the last client has gone nothing may be left; then the gateway is stopped, if it has not
// been before, and nothing at all may be left.
#pragma once

#include <array>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "gateway/log/ring.hh"
#include "gateway/process/drain.hh"
#include "gateway/shard/shard.hh"
#include "tests/simulation/auth_server.hh"
#include "tests/simulation/client.hh"
#include "tests/simulation/health_watch.hh"
#include "tests/simulation/listening.hh"
#include "tests/simulation/live_judge.hh"
#include "tests/simulation/log_reader.hh"
#include "tests/simulation/main_thread.hh"
#include "tests/simulation/refusal_judge.hh"
#include "tests/simulation/server.hh"
#include "tests/simulation/stage.hh"

namespace simulation {

class World final : private Gate, private gateway::Drained {
 public:
  World(const Scenario& scenario, std::FILE* told_to);
  ~World() override;

  // False: something was wrong.
  bool run();
  std::size_t connections() const { return connections_; }
  const Trail& trail(unsigned client, unsigned request) { return stage_.trail(client, request); }

 private:
  struct ShardHost {
    std::unique_ptr<SimulatedKernel> kernel;
    std::unique_ptr<gateway::LogRing> log;
    std::unique_ptr<gateway::Shard> shard;
    bool ended = false;
  };

  void build();
  void build_shard(unsigned index);
  // For the newest generation; with what it listens at beside the one before.
  std::vector<gateway::AdoptOrder> make_orders();
  Stream come(const ClientPlan& plan) override;
  Trust trust() const override;
  std::uint32_t peer_of(const ClientPlan& plan) const;

  // One round; false if nobody had anything to do.
  bool step();
  bool act();
  bool turn_shards();
  void turn_shard(ShardHost& host);
  void meet_servers();
  void give_orders();
  // Nobody is left to be met by it otherwise.
  bool stop_is_to_come() const {
    return stage_.scenario.stop_at && !drain_->begun() && !clients_left_;
  }
  bool cut_is_to_come() const {
    return stage_.scenario.cut_at && !stage_.cut && drain_->begun() && !clients_left_;
  }
  // One after the other, as the adoptions.
  bool drain_is_to_come() const {
    return !stage_.stopping && !clients_left_ && drains_ < stage_.scenario.drains.size() &&
           !undrain_at_ && drain_was_carried_out();
  }
  bool undrain_is_to_come() const {
    return !stage_.stopping && undrain_at_ && drain_was_carried_out();
  }
  bool drain_was_carried_out() const {
    return main_->carried_out() == drain_orders_ * stage_.scenario.shards;
  }
  // Rounds until condition(), at most so long; false if it does not come.
  bool run_until(const std::function<bool()>& condition, milliseconds most);
  // To when somebody will have something to do; false: nobody ever will.
  bool jump();
  Time next_event() const;
  bool adoption_is_to_come() const {
    return stage_.adopted == stage_.newest && adoptions_ < stage_.scenario.adopts_at.size() &&
           !stage_.stopping && !clients_left_;
  }
  void stop();
  // world_looks.cc
  bool look_is_to_come() const;
  Time next_look() const;
  void begin_look();
  bool add_kick(const KickPlan& plan);
  void note_looked();
  void judge_kicks();
  void judge_looks();
  void announce() override;
  void close_doors(const gateway::ClosingPlan& websockets) override;
  void cut() override;
  gateway::UnderWay remaining() const override;
  void adopt();
  bool list_is_to_come() const {
    return !stage_.stopping && !clients_left_ && lists_changed_ < stage_.scenario.lists.size() &&
           main_->servers_taken() == list_orders_ * stage_.scenario.shards;
  }
  void change_list();
  // rebalance_judge.cc
  struct Share {
    unsigned weight;
    std::size_t websockets;
  };
  std::vector<Share> shares_of(std::uint64_t generation, const Sites& sites);
  static std::size_t surplus_of(const std::vector<Share>& shares);
  std::size_t surplus_at_most();
  void note_who_is_up();
  void judge_rebalance(std::size_t begun_before, std::size_t before);
  void call_reserves();
  gateway::PoolServers list_of(PoolKind pool);
  std::vector<gateway::PoolServers> lists_of_generation();
  bool is_listed(const Site& place) const;
  const std::vector<gateway::config::Server>& servers_now(const gateway::config::Pool& pool) const;
  void close_orphans(milliseconds over, std::vector<gateway::AdoptOrder>& orders);
  void note_gone_routes();
  void drain_server();
  void undrain_server();
  void tell_shards(const gateway::Order& order);
  void note_reports();
  void judge_arrival(const Site& place);
  void look_for_waiting();
  void judge_quiet();
  void judge_care();
  void judge_health();
  void end_checks();
  void judge_rest();
  void judge_generations();
  void judge_orphans();
  void judge_servers();
  void judge_limits();
  void judge_limits_at_rest();
  void judge_stop();
  void judge_counters();
  void judge_live_counters();
  void judge_end();
  void judge_handshakes();

  Stage stage_;
  HealthWatch health_{stage_};
  GenerationPlan plan_;                           // of the newest generation
  gateway::config::SharedGeneration generation_;  // the newest
  std::vector<std::weak_ptr<const gateway::config::Generation>> earlier_;
  std::uint64_t oldest_ = 1;  // generation that somebody held at the last turn
  Listening listening_{stage_};
  tls::TicketKeys tickets_;
  gateway::Registry registry_;
  gateway::limits::ClientLimits limits_;
  uring::MemoryAccount memory_;
  RefusalJudge doors_{stage_, limits_, memory_};
  std::optional<gateway::DescriptorBudget> descriptors_;
  std::optional<gateway::AcceptBalance> balance_;
  LogReader log_reader_;
  std::unique_ptr<MainThread> main_;
  std::unique_ptr<gateway::LogRing> main_log_;
  std::optional<gateway::Drain> drain_;
  std::vector<ShardHost> shards_;
  std::list<SimulatedClient> clients_;
  std::list<SimulatedServer> servers_;
  std::list<SimulatedAuthServer> guards_;
  std::size_t connections_ = 0;
  unsigned servers_met_ = 0;
  unsigned adoptions_ = 0;
  std::shared_ptr<gateway::ClosingCount> orphans_waiting_ =
      std::make_shared<gateway::ClosingCount>(0);
  // Where lists change each pool has one of its own, and who is in it may be asked while somebody
  // holds it.
  struct List {
    std::weak_ptr<const std::vector<gateway::config::Server>> servers;
    Sites sites;
    PoolKind pool;
  };
  std::list<List> lists_;
  std::map<PoolKind, gateway::config::ServerList> newest_lists_;
  Sites sites_;  // of the newest lists
  std::set<PoolKind> changed_;
  std::size_t lists_changed_ = 0;
  std::size_t changes_ = 0;              // of servers
  std::set<std::size_t> down_;           // of those that may be rebalanced, after the leader's turn
  std::size_t called_ = 0;               // of those in reserve
  std::map<std::string, Time> ejected_;  // of the servers, since when, as it was last looked at
  unsigned list_orders_ = 0;
  std::size_t drains_ = 0;  // begun
  unsigned drain_orders_ = 0;
  std::optional<Time> undrain_at_;  // the last of them
  LiveJudge live_{stage_};
  Dice look_dice_;
  std::shared_ptr<gateway::LiveLook> look_;  // with the shards
  std::size_t look_number_ = 0;              // of its plan
  std::size_t looks_begun_ = 0;
  std::size_t looks_in_stop_ = 0;
  unsigned looks_due_ = 0;                         // reports
  std::optional<gateway::LivePlace> page_behind_;  // is to be looked for
  std::uint64_t streams_ = 0;                      // of pages
  Time look_again_at_{};
  std::array<std::shared_ptr<gateway::ClosingCount>, kKicksMax> kicks_waiting_;
  std::shared_ptr<gateway::ClosingCount> kick_waiting_;  // of the look
  std::uint64_t rounds_ = 0;
  Time started_{};
  Time asked_to_stop_at_{};
  Time acted_at_{};
  Time jumps_from_{};
  bool clients_left_ = false;
};

}  // namespace simulation
