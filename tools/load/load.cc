#include "tools/load/load.hh"

#include <algorithm>
#include <cstdio>

#include "tools/load/cpu_time.hh"

namespace load {
namespace {

using uring::Clock;

constexpr std::chrono::seconds kWarmUp{1};
// How long clients may take to end in order.
constexpr std::chrono::seconds kEndMax{3};
// Handshakes under way at a time, so that no listener's queue runs over.
constexpr std::size_t kOpeningMax = 256;
// How often a connect rate is looked at.
constexpr std::chrono::milliseconds kConnectStep{10};

Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

}  // namespace

Load::Load(ClientShared& shared, const sigset_t& signals)
    : shared_(shared),
      loop_(shared.runtime.loop()),
      signals_(loop_, signals, *this),
      woken_(loop_.ready()),
      due_(*this, loop_.timers()),
      story_(story()) {}

void Load::run() {
  story_.start();
  loop_.run();
}

uring::Task<> Load::story() {
  signals_.start();
  co_await open_all();
  if (shared_.tally.opened > 0) co_await talk();
  co_await end_all();
  co_await signals_.stop();
  loop_.stop();
}

uring::Task<> Load::open_all() {
  const std::size_t wanted = shared_.options.connections;
  const Clock::time_point since = loop_.now();
  clients_.reserve(wanted);
  while (settled_ < wanted && !stopped_) {
    while (clients_.size() < may_start(since)) {
      ClientOwner& owner = *this;
      clients_.push_back(std::make_unique<Client>(shared_, owner));
      clients_.back()->start();
    }
    co_await wait_until(loop_.now() + kConnectStep);
  }
}

// How many clients may have been started by now.
std::size_t Load::may_start(Clock::time_point since) const {
  std::size_t count = std::min(shared_.options.connections, settled_ + kOpeningMax);
  if (shared_.options.connect_rate > 0) {
    const double passed = std::chrono::duration<double>(loop_.now() - since).count();
    const double allowed = 1 + passed * shared_.options.connect_rate;
    if (allowed < static_cast<double>(count)) count = static_cast<std::size_t>(allowed);
  }
  return count;
}

uring::Task<> Load::talk() {
  Tally& tally = shared_.tally;
  if (shared_.options.hold) {
    // The one message of each connection is what is counted.
    tally.measuring = true;
    begin_all();
    std::fprintf(stderr, "holding %zu connections\n", tally.opened);
    co_await measure();
  } else {
    begin_all();
    const Clock::time_point warm = loop_.now() + kWarmUp;
    while (loop_.now() < warm && !stopped_ && over_ < clients_.size()) co_await wait_until(warm);
    tally.measuring = true;
    co_await measure();
  }
  tally.measuring = false;
}

uring::Task<> Load::measure() {
  const Options& options = shared_.options;
  std::optional<std::chrono::nanoseconds> cpu_before;
  std::optional<std::chrono::nanoseconds> cpu_after;
  note_cpu(cpu_before);
  const Clock::time_point begin = Clock::now();
  const bool for_ever = options.hold && options.duration_s <= 0;
  const Clock::time_point end =
      for_ever ? Clock::time_point::max() : begin + seconds(options.duration_s);
  while (loop_.now() < end && !stopped_ && over_ < clients_.size()) co_await wait_until(end);
  shared_.tally.window = Clock::now() - begin;
  note_cpu(cpu_after);
  if (shared_.tally.messages == 0) shared_.tally.add_error("no message came back");
  if (cpu_before && cpu_after) shared_.tally.cpu = *cpu_after - *cpu_before;
}

uring::Task<> Load::end_all() {
  for (const std::unique_ptr<Client>& client : clients_) client->end();
  const Clock::time_point limit = loop_.now() + kEndMax;
  while (over_ < clients_.size() && loop_.now() < limit) co_await wait_until(limit);
  for (const std::unique_ptr<Client>& client : clients_) client->abort();
  while (over_ < clients_.size()) co_await wait_until(Clock::time_point::max());
}

// Until then, or until something has happened.
uring::Task<> Load::wait_until(Clock::time_point deadline) {
  if (deadline != Clock::time_point::max()) due_.arm(deadline);
  woken_.clear();
  co_await woken_.wait();
  due_.disarm();
}

void Load::begin_all() {
  const std::size_t in_flight = shared_.options.hold ? 1 : shared_.options.in_flight;
  for (const std::unique_ptr<Client>& client : clients_) {
    if (client->is_open()) client->begin(in_flight);
  }
}

void Load::note_cpu(std::optional<std::chrono::nanoseconds>& cpu) {
  if (shared_.options.cpu_of.empty()) return;
  const auto time = cpu_time_of(shared_.options.cpu_of);
  if (time) {
    cpu = *time;
  } else {
    shared_.tally.add_error("cpu: " + time.error());
  }
}

void Load::opened(Client&) {
  ++settled_;
  woken_.set();
}

void Load::over(Client& client) {
  ++over_;
  if (!client.was_open()) ++settled_;
  woken_.set();
}

void Load::signalled(int) {
  stopped_ = true;
  woken_.set();
}

}  // namespace load
