// A shard's course: orders, the schedule of messages, the interval. Its connections come and go in
// shard_connections.cc.
#include "tools/load/engine/shard.hh"

#include <time.h>

#include <algorithm>
#include <fstream>
#include <span>

#include "tools/load/engine/http_connection.hh"
#include "tools/load/engine/preflight.hh"
#include "tools/load/engine/ws_connection.hh"

namespace load {
namespace {

using uring::Clock;

constexpr std::size_t kOrdersRoom = 256;
// Of what is due, in one turn.
constexpr std::size_t kMessagesPerTurn = 4096;
constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kLookSoon{8};

std::chrono::nanoseconds thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// From the loop's clock to Unix time. It may lose its core between the two clocks: of several looks
// the one counts that took the least.
std::chrono::nanoseconds unix_offset() {
  constexpr int kLooks = 10;
  std::chrono::nanoseconds offset{};
  auto least = std::chrono::nanoseconds::max();
  for (int i = 0; i < kLooks; ++i) {
    const auto before = Clock::now();
    const auto unix_time = std::chrono::system_clock::now();
    const std::chrono::nanoseconds took = Clock::now() - before;
    if (took >= least) continue;
    least = took;
    offset = unix_time.time_since_epoch() - before.time_since_epoch() - took / 2;
  }
  return offset;
}

// How long the calling thread was ready and had no core; 0 where the kernel does not tell.
std::chrono::nanoseconds thread_wait() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  if (!(file >> ran >> waited)) return {};
  return std::chrono::nanoseconds(waited);
}

// Half of what the machine has left, for all shards: a message that finds none goes uncompressed.
std::size_t codec_bytes_max(std::size_t shards) {
  return available_bytes() / 2 / shards;
}

}  // namespace

Shard::Shard(tools::Runtime& runtime, const Plan& plan, const ShardSeat& seat, ShardPort& port,
             std::vector<std::unique_ptr<tls::ClientContext>> tls)
    : loop_(runtime.loop()),
      plan_(plan),
      seat_(seat),
      port_(port),
      tls_(std::move(tls)),
      bell_(loop_, *this),
      orders_(bell_, kOrdersRoom),
      tally_(std::make_unique<Tally>()),
      shared_{.runtime = runtime, .plan = plan},
      bad_(shared_),
      woken_(loop_.ready()),
      interval_(*this, loop_.timers()),
      look_(*this, loop_.timers()),
      story_(story()) {
  shared_.tally = tally_.get();
  shared_.random.seed(seat.seed);
  if (plan.compress) shared_.codecs = std::make_unique<Codecs>(codec_bytes_max(seat.shards));
  shared_.unix_offset = unix_offset();
  first_attempts_ = seat.index;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const Target& target = plan.targets[i];
    shared_.targets.push_back({.target = target, .tls = tls_[i].get(), .request = {}});
    shared_.targets.back().sources_used = seat.index;
    shared_.targets.back().request =
        target.websocket ? upgrade_head(plan, target) : http_request(plan, target);
  }
}

Shard::~Shard() = default;

void Shard::run() {
  cpu_before_ = thread_cpu();
  wait_before_ = thread_wait();
  story_.start();
  while (!loop_.stopped()) {
    const Time next = next_due();
    const Time now = Clock::now();
    if (next <= now) {
      if (!due_.queued()) loop_.ready().push(due_);
      loop_.turn(std::chrono::nanoseconds::zero());
    } else if (next == Time::max()) {
      loop_.turn();
    } else {
      loop_.turn(next - now);
    }
    dead_.clear();
    bad_.bury();
  }
  loop_.turn(std::chrono::nanoseconds::zero());
}

uring::Task<> Shard::story() {
  bell_.start();
  tally_->begin = Clock::now() - seat_.began;
  interval_.arm(seat_.began + seat_.interval);
  look_.arm(loop_.now() + kLook);
  while (!end_) {
    woken_.clear();
    co_await woken_.wait();
  }
  bad_.end();
  co_await drain();
  co_await end_all();
  interval_.disarm();
  look_.disarm();
  hand_over();
  orders_.close();
  co_await bell_.stop();
  port_.over = true;
  loop_.stop();
}

// Waits for the answers to what is under way.
uring::Task<> Shard::drain() {
  const Time limit = loop_.now() + end_->drain;
  while (pending() > 0 && loop_.now() < limit && !port_.hurry) {
    look_.arm(loop_.now() + kLookSoon);
    woken_.clear();
    co_await woken_.wait();
  }
}

uring::Task<> Shard::end_all() {
  reopen_.clear();
  for (const std::unique_ptr<Connection>& each : connections_) each->end();
  const Time limit = loop_.now() + end_->goodbye;
  bool aborted = false;
  while (!connections_.empty() || !bad_.empty()) {
    if (!aborted && (loop_.now() >= limit || port_.hurry)) {
      aborted = true;
      for (const std::unique_ptr<Connection>& each : connections_) each->abort();
    }
    look_.arm(loop_.now() + kLookSoon);
    woken_.clear();
    co_await woken_.wait();
  }
}

void Shard::rung() {
  const std::span<const Order> orders = orders_.take();
  for (const Order& order : orders) {
    if (order.kind == Order::Kind::kStorm) {
      begin_storm(order);
    } else {
      begin_phase(order);
      if (order.kind == Order::Kind::kEnd) end_ = order;
    }
  }
  publish();
  port_.taken.fetch_add(orders.size(), std::memory_order_release);
  woken_.set();
}

void Shard::begin_phase(const Order& order) {
  const Time now = Clock::now();
  finish_messages(now);
  // A backlog of the warm-up is none of the measured time, and a closed loop has none.
  const bool ends = order.kind == Order::Kind::kEnd;
  if (phase_.phase == 0 || (!order.open_loop && !ends)) {
    for (Connection* const each : open_) each->forget_owed();
  }
  const std::uint64_t carried = pending();
  tally_->counts.in_flight += carried;
  hand_over();
  phase_of_tally_ = tally_->phase = order.phase;
  tally_->counts.sent += carried;
  if (!ends) plan_connections(order, now);
  if (!ends) bad_.aim(order.bad, order.ramp);
  phase_ = order;
  phase_began_ = now;
  shared_.closed_loop = !order.open_loop;
  shared_.sending = order.sends && !ends;
  if (shared_.sending && order.per_second > 0) {
    messages_ = Schedule(order.per_second, order.poisson ? Arrival::kPoisson : Arrival::kEven, now,
                         shared_.random(), offset());
  }
  if (!shared_.sending) return;
  for (std::size_t i = 0; i < open_.size(); ++i) open_[i]->go_on();
}

// What was due before a phase ends goes in that phase; what the loop is too far behind for never
// does.
void Shard::finish_messages(Time now) {
  send_due(now);
  const std::uint64_t missed = messages_.skip_until(now);
  tally_->counts.unsent += missed;
  tally_->unsent.missed += missed;
  messages_ = {};
}

// Of several shards with one rate each begins a part of the distance later.
double Shard::offset() const {
  return static_cast<double>(seat_.index) / static_cast<double>(seat_.shards);
}

void Shard::on_due() {
  const Time now = loop_.now();
  send_due(now);
  if (!end_) start_due(now);
}

void Shard::send_due(Time now) {
  for (std::size_t i = 0; i < kMessagesPerTurn && messages_.next() <= now; ++i) {
    const Time due = messages_.take();
    const bool covered = is_covered();
    if (!covered && !phase_.owes_closed) continue;
    tally_->timing(Timing::kScheduleLag).add(now - due);
    Connection* const connection = covered ? next_open() : nullptr;
    if (connection == nullptr) {
      ++tally_->counts.unsent;
      ++tally_->unsent.none_open;
    } else {
      connection->owe(due);
    }
  }
}

// Where the schedule is that of phase_.peak connections, each with its part of it, whether this
// message is one of those that are open: they do not get what is due on the others.
bool Shard::is_covered() {
  if (!phase_.by_connection || open_.size() >= phase_.peak) return true;
  const double part = static_cast<double>(open_.size()) / static_cast<double>(phase_.peak);
  if (phase_.poisson) return std::bernoulli_distribution(part)(shared_.random);
  covered_ += part;
  if (covered_ < 1) return false;
  covered_ -= 1;
  return true;
}

// In turn, so that each connection has its own even schedule; where they are drawn, each of them
// has a Poisson process of its own.
Connection* Shard::next_open() {
  if (publishers_.empty()) return nullptr;
  if (phase_.poisson) return publishers_[shared_.random() % publishers_.size()];
  turn_ = turn_ + 1 < publishers_.size() ? turn_ + 1 : 0;
  return publishers_[turn_];
}

void Shard::on_interval() {
  hand_over();
  const auto passed = (loop_.now() - seat_.began) / seat_.interval;
  interval_.arm(seat_.began + (passed + 1) * seat_.interval);
}

void Shard::on_look() {
  const Time now = loop_.now();
  for (std::size_t i = 0; i < open_.size(); ++i) open_[i]->give_up_before(now - plan_.answer_limit);
  if (!end_) let_go_of_surplus(now);
  bad_.look();
  if (is_hopeless()) give_up_opening();
  const bool ramps = !end_ && phase_.ramp.count() > 0 && now < phase_began_ + phase_.ramp;
  look_.arm(now + (ramps ? Duration(kLookSoon) : Duration(kLook)));
  woken_.set();
}

void Shard::hand_over() {
  const Duration now = Clock::now() - seat_.began;
  const auto cpu = thread_cpu();
  tally_->length = now - tally_->begin;
  tally_->cpu = cpu - cpu_before_;
  cpu_before_ = cpu;
  const auto wait = thread_wait();
  tally_->wait = wait - wait_before_;
  wait_before_ = wait;
  tally_->open = open_.size();
  tally_->open_max = std::max<std::uint64_t>(tally_->open_max, open_.size());
  port_.hand_over(std::exchange(tally_, std::make_unique<Tally>()));
  tally_->begin = now;
  tally_->phase = phase_of_tally_;
  tally_->open_max = open_.size();
  shared_.tally = tally_.get();
}

std::uint64_t Shard::pending() const {
  std::uint64_t sum = 0;
  for (const Connection* const connection : open_) sum += connection->pending();
  return sum;
}

}  // namespace load
