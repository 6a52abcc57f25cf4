// A run: opens the connections, lets them talk for a warm-up and then for the measured window, ends
// them. One coroutine that reads top to bottom; clients, the clock and signals only wake it.
#pragma once

#include <memory>
#include <vector>

#include "tools/load/client.hh"
#include "uring/signals.hh"

namespace load {

class Load final : private ClientOwner, private uring::SignalListener {
 public:
  Load(ClientShared& shared, const sigset_t& signals);

  // Until the run is over, or a signal has ended it early; what was counted is in the tally.
  void run();

 private:
  uring::Task<> story();
  uring::Task<> open_all();
  uring::Task<> talk();
  uring::Task<> measure();
  uring::Task<> end_all();
  uring::Task<> wait_until(uring::Clock::time_point deadline);
  std::size_t may_start(uring::Clock::time_point since) const;
  void begin_all();
  void note_cpu(std::optional<std::chrono::nanoseconds>& cpu);

  void opened(Client& client) override;
  void over(Client& client) override;
  void signalled(int signal) override;
  void on_due() { woken_.set(); }

  ClientShared& shared_;
  uring::Loop& loop_;
  uring::Signals signals_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::size_t settled_ = 0;  // opened, or over without
  std::size_t over_ = 0;
  bool stopped_ = false;
  uring::Event woken_;
  uring::TimerMember<&Load::on_due> due_;
  uring::Task<> story_;
};

}  // namespace load
