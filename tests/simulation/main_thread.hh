// What the main thread is to the shards, on a simulated kernel: it takes their reports.
#pragma once

#include <memory>
#include <optional>

#include "gateway/shard/shard.hh"
#include "tests/uring/simulator.hh"
#include "uring/mailbox.hh"

namespace simulation {

class MainThread final : private uring::BellOwner {
 public:
  MainThread(std::uint64_t seed, SimulationOptions options, std::shared_ptr<SimulatedSystem> system,
             unsigned shards)
      : shards_(shards),
        kernel_(seed, options, std::move(system)),
        loop_(kernel_),
        bell_(loop_, *this),
        reports_(bell_, gateway::kReportsMax * std::size_t{shards}) {
    EXPECT_EQ(bell_.open(), 0);
    bell_.start();
  }

  SimulatedKernel& kernel() { return kernel_; }
  uring::Loop& loop() { return loop_; }
  uring::Mailbox<gateway::Report>& reports() { return reports_; }
  bool all_drained() const { return drained_ == shards_; }
  bool all_ended() const { return ended_ == shards_; }
  // Each generation by each shard.
  unsigned adoptions() const { return adopted_; }
  // Drains of servers, and their ends, likewise.
  unsigned carried_out() const { return carried_out_; }
  // Lists of servers, likewise.
  unsigned servers_taken() const { return servers_taken_; }
  // Looks at the live table, likewise.
  unsigned looked() const { return looked_; }
  const gateway::StopTally& stopped() const { return stopped_; }
  uring::Clock::time_point ended_at() const { return ended_at_; }  // once all shards have

 private:
  void rung() override {
    for (const gateway::Report& report : reports_.take()) {
      ++count_of(report.kind);
      stopped_ += report.stopped;
    }
    if (!all_ended() || !winding_up_.done()) return;
    ended_at_ = loop_.now();
    winding_up_ = wind_up();
    winding_up_.start();
  }
  unsigned& count_of(gateway::Report::Kind kind) {
    switch (kind) {
      case gateway::Report::Kind::kDrained:
        return drained_;
      case gateway::Report::Kind::kEnded:
        return ended_;
      case gateway::Report::Kind::kAdopted:
        return adopted_;
      case gateway::Report::Kind::kServersTaken:
        return servers_taken_;
      case gateway::Report::Kind::kLooked:
        return looked_;
      case gateway::Report::Kind::kCarriedOut:
        break;
    }
    return carried_out_;
  }
  uring::Task<> wind_up() {
    co_await bell_.stop();
    loop_.stop();
  }

  unsigned shards_;
  SimulatedKernel kernel_;
  uring::Loop loop_;
  uring::Bell bell_;
  uring::Mailbox<gateway::Report> reports_;
  uring::Task<> winding_up_;
  unsigned drained_ = 0;
  unsigned ended_ = 0;
  unsigned adopted_ = 0;
  unsigned servers_taken_ = 0;
  unsigned carried_out_ = 0;
  unsigned looked_ = 0;
  gateway::StopTally stopped_;
  uring::Clock::time_point ended_at_;
};

}  // namespace simulation
