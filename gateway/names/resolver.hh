// Looks names up on a loop, without blocking it: the main thread's. So many lookups are under way
// at a time, each with a deadline; who comes beyond that waits in turn. The sockets of all of them
// are in one set of the kernel (epoll), which the ring polls.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "gateway/config/resolver.hh"
#include "gateway/names/lookup.hh"
#include "uring/loop.hh"
#include "uring/task.hh"

namespace gateway::names {

class Resolver {
 public:
  static constexpr std::size_t kLookupsMax = 8;

  // Called once, never from within look_up(); not at all if it is stopped before.
  using Done = std::function<void(const Lookup::Result& result)>;

  explicit Resolver(uring::Loop& loop);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Before all else: 0, or errno.
  [[nodiscard]] int open();
  void look_up(config::Question question, const config::ResolverSettings& settings, Done done);
  // Nobody is told anything more; awaits what is in flight.
  uring::Task<> stop();

  std::size_t under_way() const { return running_.size(); }

 private:
  struct Wanted {
    config::Question question;
    config::ResolverSettings settings;
    Done done;
  };
  struct Running {
    std::unique_ptr<Lookup> lookup;
    std::map<int, std::uint32_t> sockets;  // what each is watched for
    uring::Clock::time_point ends;
    Done done;
  };

  void begin_some();
  void begin(Wanted wanted);
  void watch(std::uint32_t id, int descriptor, bool for_reading, bool for_writing);
  void on_work();
  void on_polled(uring::Completion completion);
  void process_sockets();
  void process_time();
  void tell_of_ends();
  void arm();
  void poll();
  void drop_all();

  uring::Loop& loop_;
  int set_ = -1;
  std::map<std::uint32_t, Running> running_;
  std::deque<Wanted> waiting_;
  std::uint32_t last_id_ = 0;
  uring::OperationMember<&Resolver::on_polled> polled_{*this};
  uring::ReadyMember<&Resolver::on_work> work_{*this};
  uring::TimerMember<&Resolver::on_work> timer_;
  uring::Event ended_;
  bool stopping_ = false;
};

}  // namespace gateway::names
