#include "gateway/names/resolver.hh"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace gateway::names {
namespace {

constexpr int kEventsAtOnce = 32;

// What the set knows of a socket: whose it is, and which.
std::uint64_t mark_of(std::uint32_t id, int descriptor) {
  return std::uint64_t{id} << 32 | static_cast<std::uint32_t>(descriptor);
}

}  // namespace

Resolver::Resolver(uring::Loop& loop)
    : loop_(loop), timer_(*this, loop.timers()), ended_(loop.ready()) {}

Resolver::~Resolver() {
  drop_all();
  if (set_ >= 0) close(set_);
}

int Resolver::open() {
  set_ = epoll_create1(EPOLL_CLOEXEC);
  return set_ < 0 ? errno : 0;
}

void Resolver::look_up(config::Question question, const config::ResolverSettings& settings,
                       Done done) {
  CHECK(set_ >= 0, "a resolver is opened before it is asked");
  if (stopping_) return;
  waiting_.push_back({std::move(question), settings, std::move(done)});
  if (!work_.queued()) loop_.ready().push(work_);
}

void Resolver::begin_some() {
  while (running_.size() < kLookupsMax && !waiting_.empty()) {
    Wanted next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(next));
  }
}

void Resolver::begin(Wanted wanted) {
  const std::uint32_t id = ++last_id_;
  Running& running = running_[id];
  running.ends = loop_.now() + patience_of(wanted.settings);
  running.done = std::move(wanted.done);
  running.lookup =
      std::make_unique<Lookup>(std::move(wanted.question), wanted.settings,
                               [this, id](int descriptor, bool for_reading, bool for_writing) {
                                 watch(id, descriptor, for_reading, for_writing);
                               });
  running.lookup->start();
}

// A socket that cannot be watched is looked at when its time is over, which fails the try.
void Resolver::watch(std::uint32_t id, int descriptor, bool for_reading, bool for_writing) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  auto& sockets = found->second.sockets;
  epoll_event event{.events = (for_reading ? EPOLLIN : 0u) | (for_writing ? EPOLLOUT : 0u),
                    .data = {.u64 = mark_of(id, descriptor)}};
  if (event.events == 0) {
    epoll_ctl(set_, EPOLL_CTL_DEL, descriptor, nullptr);
    sockets.erase(descriptor);
    return;
  }
  const bool is_known = sockets.contains(descriptor);
  epoll_ctl(set_, is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event);
  sockets[descriptor] = event.events;
}

void Resolver::on_work() {
  if (stopping_) return ended_.set();
  process_sockets();
  process_time();
  tell_of_ends();
  begin_some();
  tell_of_ends();
  arm();
  poll();
}

void Resolver::on_polled(uring::Completion) {
  if (stopping_) return ended_.set();
  if (!work_.queued()) loop_.ready().push(work_);
}

// One batch: what is left is there at the next turn.
void Resolver::process_sockets() {
  std::array<epoll_event, kEventsAtOnce> events;
  const int count = epoll_wait(set_, events.data(), kEventsAtOnce, 0);
  for (int index = 0; index < count; ++index) {
    const epoll_event& event = events[static_cast<std::size_t>(index)];
    const std::uint64_t mark = event.data.u64;
    const auto found = running_.find(static_cast<std::uint32_t>(mark >> 32));
    const int descriptor = static_cast<int>(static_cast<std::uint32_t>(mark));
    // One of its own may have closed it meanwhile.
    if (found == running_.end() || !found->second.sockets.contains(descriptor)) continue;
    const bool has_failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    found->second.lookup->process(descriptor, has_failed || (event.events & EPOLLIN) != 0,
                                  (event.events & EPOLLOUT) != 0);
  }
}

void Resolver::process_time() {
  for (auto& [id, running] : running_) {
    if (running.ends <= loop_.now()) running.lookup->give_up();
    running.lookup->process_time();
  }
}

void Resolver::tell_of_ends() {
  std::vector<std::pair<Done, Lookup::Result>> ended;
  for (auto one = running_.begin(); one != running_.end();) {
    if (!one->second.lookup->finished()) {
      ++one;
      continue;
    }
    ended.emplace_back(std::move(one->second.done), one->second.lookup->result());
    // Its sockets leave the set as they are closed.
    one->second.lookup.reset();
    one = running_.erase(one);
  }
  for (const auto& [done, result] : ended) done(result);
}

void Resolver::arm() {
  if (running_.empty()) return timer_.disarm();
  auto next = uring::Clock::time_point::max();
  for (const auto& [id, running] : running_) {
    const auto patience = running.lookup->patience();
    if (patience) next = std::min(next, loop_.now() + *patience);
    next = std::min(next, running.ends);
  }
  timer_.arm(next);
}

void Resolver::poll() {
  if (running_.empty() || polled_.in_flight()) return;
  io_uring_prep_poll_add(&loop_.prepare(polled_), set_, POLLIN);
}

// While they close their sockets they are to be found.
void Resolver::drop_all() {
  waiting_.clear();
  for (auto& [id, running] : running_) running.lookup.reset();
  running_.clear();
}

uring::Task<> Resolver::stop() {
  stopping_ = true;
  timer_.disarm();
  drop_all();
  loop_.cancel(polled_);
  while (polled_.in_flight() || work_.queued()) {
    ended_.clear();
    co_await ended_.wait();
  }
}

}  // namespace gateway::names
