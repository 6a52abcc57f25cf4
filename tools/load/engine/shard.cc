#include "tools/load/engine/shard.hh"

#include <time.h>

#include <algorithm>
#include <cmath>

#include "tools/load/engine/http_connection.hh"
#include "tools/load/engine/ws_connection.hh"

namespace load {
namespace {

using uring::Clock;

constexpr std::size_t kOrdersRoom = 256;
// Handshakes under way at a time, so that no listener's queue runs over.
constexpr std::size_t kOpeningMax = 256;
// Of what is due, in one turn.
constexpr std::size_t kMessagesPerTurn = 4096;
constexpr std::size_t kStartsPerTurn = 64;
constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kLookSoon{8};
// After an attempt that failed.
constexpr std::chrono::milliseconds kRetryMin{100};
// How long connections may take to end in order.
constexpr std::chrono::seconds kEndMax{3};
// Ids of connections: a mark in a text has 48 bits for one.
constexpr unsigned kIdBits = 36;

std::chrono::nanoseconds thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
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
      woken_(loop_.ready()),
      interval_(*this, loop_.timers()),
      look_(*this, loop_.timers()),
      story_(story()) {
  shared_.tally = tally_.get();
  shared_.random.seed(seat.seed);
  shared_.unix_offset =
      std::chrono::system_clock::now().time_since_epoch() - Clock::now().time_since_epoch();
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const Target& target = plan.targets[i];
    shared_.targets.push_back({.target = target, .tls = tls_[i].get(), .request = {}});
    shared_.targets.back().request =
        target.websocket ? upgrade_head(plan, target) : http_request(plan, target);
  }
}

Shard::~Shard() = default;

void Shard::run() {
  cpu_before_ = thread_cpu();
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
  while (pending() > 0 && loop_.now() < limit) {
    look_.arm(loop_.now() + kLookSoon);
    woken_.clear();
    co_await woken_.wait();
  }
}

uring::Task<> Shard::end_all() {
  reopen_.clear();
  for (const std::unique_ptr<Connection>& each : connections_) each->end();
  const Time limit = loop_.now() + kEndMax;
  bool aborted = false;
  while (!connections_.empty()) {
    if (!aborted && loop_.now() >= limit) {
      aborted = true;
      for (const std::unique_ptr<Connection>& each : connections_) each->abort();
    }
    look_.arm(loop_.now() + kLookSoon);
    woken_.clear();
    co_await woken_.wait();
  }
}

void Shard::rung() {
  for (const Order& order : orders_.take()) {
    if (order.kind == Order::Kind::kStorm) {
      begin_storm(order);
    } else {
      begin_phase(order);
      if (order.kind == Order::Kind::kEnd) end_ = order;
    }
  }
  woken_.set();
}

void Shard::begin_phase(const Order& order) {
  const Time now = Clock::now();
  const bool first = slots_ == 0;
  const std::uint64_t carried = pending();
  tally_->counts.in_flight += carried;
  hand_over();
  phase_of_tally_ = tally_->phase = order.phase;
  tally_->counts.sent += carried;
  connections_before_ = first ? 0 : wanted(now);
  phase_ = order;
  phase_began_ = now;
  const bool ends = order.kind == Order::Kind::kEnd;
  shared_.closed_loop = order.per_second <= 0;
  shared_.sending = order.sends && !ends;
  const double part = static_cast<double>(seat_.index) / static_cast<double>(seat_.shards);
  messages_ = {};
  if (shared_.sending && order.per_second > 0) {
    messages_ = Schedule(order.per_second, order.poisson ? Arrival::kPoisson : Arrival::kEven, now,
                         shared_.random(), part);
  }
  const double connects = plan_.churn.per_second > 0 ? plan_.churn.per_second : plan_.connect_rate;
  if (ends) {
    connects_ = {};
  } else if (connects > 0 && first) {
    const double mine = connects / static_cast<double>(seat_.shards);
    connects_ = Schedule(mine, Arrival::kEven, now, 1, part);
  }
  if (!shared_.sending) return;
  for (std::size_t i = 0; i < open_.size(); ++i) open_[i]->go_on();
}

// Those that are dropped see a reset, as when a network fails.
void Shard::begin_storm(const Order& order) {
  const auto dropped =
      static_cast<std::size_t>(std::llround(order.share * static_cast<double>(open_.size())));
  for (std::size_t i = 0; i < dropped; ++i) {
    open_[i]->successor = order.reconnect;
    open_[i]->abort();
  }
}

// When something is due that the loop's timers are too coarse for.
Shard::Time Shard::next_due() const {
  Time next = messages_.next();
  if (end_) return next;
  if (plan_.churn.per_second > 0) return std::min(next, connects_.next());
  if (opening_ >= kOpeningMax) return next;
  if (!reopen_.empty()) next = std::min(next, reopen_.front());
  if (slots_ < wanted(loop_.now())) {
    next = plan_.connect_rate > 0 ? std::min(next, connects_.next()) : Time::min();
  }
  return next;
}

void Shard::on_due() {
  const Time now = loop_.now();
  send_due(now);
  if (!end_) start_due(now);
}

void Shard::send_due(Time now) {
  for (std::size_t i = 0; i < kMessagesPerTurn && messages_.next() <= now; ++i) {
    const Time due = messages_.take();
    tally_->timing(Timing::kScheduleLag).add(now - due);
    Connection* const connection = next_open();
    if (connection == nullptr) {
      ++tally_->counts.unsent;
    } else {
      connection->owe(due);
    }
  }
}

// In turn, so that each connection has its own even schedule; where they are drawn, each of them
// has a Poisson process of its own.
Connection* Shard::next_open() {
  if (publishers_.empty()) return nullptr;
  if (phase_.poisson) return publishers_[shared_.random() % publishers_.size()];
  turn_ = turn_ + 1 < publishers_.size() ? turn_ + 1 : 0;
  return publishers_[turn_];
}

void Shard::start_due(Time now) {
  for (std::size_t i = 0; i < kStartsPerTurn; ++i) {
    if (plan_.churn.per_second > 0) {
      if (connects_.next() > now) return;
      connects_.take();
      if (connections_.size() < phase_.connections) {
        start_connection();
      } else {
        ++tally_->counts.unsent;
      }
      continue;
    }
    if (opening_ >= kOpeningMax) return;
    if (!reopen_.empty() && reopen_.front() <= now) {
      std::ranges::pop_heap(reopen_, std::greater{});
      reopen_.pop_back();
      start_connection();
    } else if (slots_ < wanted(now) && (plan_.connect_rate <= 0 || connects_.next() <= now)) {
      if (plan_.connect_rate > 0) connects_.take();
      ++slots_;
      start_connection();
    } else {
      return;
    }
  }
}

void Shard::start_connection() {
  const std::uint64_t id = (std::uint64_t{seat_.index} << kIdBits) + ++last_id_;
  ConnectionOwner& owner = *this;
  connections_.push_back(make_connection(shared_, owner, next_target(), id));
  Connection& connection = *connections_.back();
  connection.place = connections_.size() - 1;
  connection.serial = (last_id_ - 1) * seat_.shards + seat_.index;
  if (plan_.pattern == Pattern::kPublish) {
    const std::uint64_t per_mille = plan_.publishers_per_mille;
    const std::uint64_t number = last_id_ - 1;
    connection.publisher = (number * per_mille) % 1000 < per_mille;
  }
  ++opening_;
  connection.start();
  publish();
}

// The one whose share, by the weights, is the furthest behind.
ShardTarget& Shard::next_target() {
  const auto load_of = [](const ShardTarget& each) {
    return static_cast<double>(each.begun) / each.target.weight;
  };
  ShardTarget& target = *std::ranges::min_element(shared_.targets, {}, load_of);
  ++target.begun;
  return target;
}

void Shard::reopen_later(const Connection& connection) {
  std::uniform_real_distribution<double> part(0, 1);
  const double most = static_cast<double>(connection.successor.most.count());
  Duration wait(static_cast<std::int64_t>(most * part(shared_.random)));
  if (!connection.was_open()) wait = std::max<Duration>(wait, kRetryMin);
  reopen_.push_back(loop_.now() + wait);
  std::ranges::push_heap(reopen_, std::greater{});
}

// How many connections there should be.
std::size_t Shard::wanted(Time now) const {
  if (phase_.ramp.count() <= 0 || now >= phase_began_ + phase_.ramp) return phase_.connections;
  const double passed = std::chrono::duration<double>(now - phase_began_) /
                        std::chrono::duration<double>(phase_.ramp);
  const auto from = static_cast<double>(connections_before_);
  const auto to = static_cast<double>(phase_.connections);
  return static_cast<std::size_t>(std::lround(from + (to - from) * passed));
}

void Shard::let_go_of_surplus(Time now) {
  const std::size_t most = wanted(now);
  for (std::size_t i = open_.size(); slots_ > most && i > 0; --i) {
    Connection& connection = *open_[i - 1];
    if (connection.leaving) continue;
    connection.leaving = true;
    connection.successor = {};
    connection.end();
    --slots_;
  }
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

void Shard::publish() {
  port_.open.store(open_.size(), std::memory_order_relaxed);
  port_.settled.store(settled_, std::memory_order_relaxed);
  port_.alive.store(connections_.size() + reopen_.size(), std::memory_order_relaxed);
}

void Shard::opened(Connection& connection) {
  --opening_;
  ++settled_;
  connection.open_place = open_.size();
  open_.push_back(&connection);
  if (connection.publisher) {
    connection.publisher_place = publishers_.size();
    publishers_.push_back(&connection);
  }
  tally_->open_max = std::max<std::uint64_t>(tally_->open_max, open_.size());
  if (end_) connection.end();
  publish();
}

void Shard::over(Connection& connection) {
  if (connection.was_open()) {
    open_[connection.open_place] = open_.back();
    open_[connection.open_place]->open_place = connection.open_place;
    open_.pop_back();
    if (connection.publisher) {
      publishers_[connection.publisher_place] = publishers_.back();
      publishers_[connection.publisher_place]->publisher_place = connection.publisher_place;
      publishers_.pop_back();
    }
  } else {
    --opening_;
    ++settled_;
  }
  if (connection.successor.on && !end_) reopen_later(connection);
  const std::size_t place = connection.place;
  std::swap(connections_[place], connections_.back());
  connections_[place]->place = place;
  dead_.push_back(std::move(connections_.back()));
  connections_.pop_back();
  publish();
  if (end_ && connections_.empty()) woken_.set();
}

}  // namespace load
