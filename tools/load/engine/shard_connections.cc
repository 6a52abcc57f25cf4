// How a shard's connections come and go: opened as a phase wants them, by the clock under churn,
// and again where one has ended that another one takes the place of.
#include <algorithm>

#include "tools/load/engine/shard.hh"

namespace load {
namespace {

using uring::Clock;

// Handshakes under way at a time, so that no listener's queue runs over.
constexpr std::size_t kOpeningMax = 256;
// Of what is due, in one turn.
constexpr std::size_t kStartsPerTurn = 64;
// After an attempt that failed.
constexpr std::chrono::milliseconds kRetryMin{100};
// Ids of connections: a mark in a text has 48 bits for one.
constexpr unsigned kIdBits = 30;
constexpr unsigned kShardBits = 8;

}  // namespace

// A phase that wants another number than the one before forgives those that have ended: it counts
// from what is there. Else they stay away, unless they have a successor.
void Shard::plan_connections(const Order& order, Time now) {
  const bool other = order.connections != phase_.connections;
  if (begun_ && other) {
    const auto leaving = std::ranges::count_if(
        connections_, &Connection::leaving, [](const auto& each) -> Connection& { return *each; });
    slots_ = connections_.size() - static_cast<std::size_t>(leaving) + reopen_.size();
  }
  connections_before_ = slots_;
  const bool churns = plan_.churn.per_second > 0;
  const double connects = churns ? plan_.churn.per_second : plan_.connect_rate;
  if (connects > 0 && (!begun_ || (other && !churns))) {
    const double mine = connects / static_cast<double>(seat_.shards);
    connects_ = Schedule(mine, Arrival::kEven, now, 1, offset());
  }
  begun_ = true;
}

// Those that are dropped see a reset, as when a network fails.
void Shard::begin_storm(const Order& order) {
  storms_.resize(std::max(storms_.size(), order.storm + 1));
  storms_[order.storm] = order.reconnect;
  StormPart& part = tally_->storm(order.storm);
  part.begun = true;
  std::vector<Connection*> candidates;
  std::ranges::copy_if(open_, std::back_inserter(candidates), [](const Connection* each) {
    return !each->leaving && !each->is_closing() && !each->storm;
  });
  std::ranges::shuffle(candidates, shared_.random);
  candidates.resize(std::min(candidates.size(), order.dropped));
  for (Connection* const each : candidates) {
    each->storm = order.storm;
    each->abort();
    ++part.dropped;
  }
}

// When something is due that the loop's timers are too coarse for.
Shard::Time Shard::next_due() const {
  Time next = messages_.next();
  if (end_) return next;
  const bool may_open = opening_ < kOpeningMax;
  if (may_open && !reopen_.empty()) next = std::min(next, reopen_.front().at);
  if (plan_.churn.per_second > 0) return std::min(next, connects_.next());
  if (may_open && !is_hopeless() && slots_ < wanted(loop_.now())) {
    next = plan_.connect_rate > 0 ? std::min(next, connects_.next()) : Time::min();
  }
  return next;
}

bool Shard::first_attempt_is_due(Time now) const {
  if (plan_.churn.per_second > 0 || is_hopeless() || slots_ >= wanted(now)) return false;
  return plan_.connect_rate <= 0 || connects_.next() <= now;
}

// Those that come again come after those that were not tried yet: a target that serves only some
// would be asked for ever by the same ones.
void Shard::start_due(Time now) {
  for (std::size_t i = 0; i < kStartsPerTurn; ++i) {
    const bool may_open = opening_ < kOpeningMax;
    if (may_open && first_attempt_is_due(now)) {
      if (plan_.connect_rate > 0) connects_.take();
      ++slots_;
      start_connection(nullptr);
    } else if (may_open && !reopen_.empty() && reopen_.front().at <= now) {
      std::ranges::pop_heap(reopen_, std::greater{}, &Successor::at);
      const Successor successor = reopen_.back();
      reopen_.pop_back();
      start_connection(&successor);
    } else if (plan_.churn.per_second > 0 && connects_.next() <= now) {
      connects_.take();
      churn();
    } else {
      return;
    }
  }
}

void Shard::churn() {
  if (connections_.size() + reopen_.size() < phase_.connections) return start_connection(nullptr);
  ++tally_->counts.unsent;
  ++tally_->unsent.bounded;
}

// In that one's place, or in nobody's.
void Shard::start_connection(const Successor* successor) {
  const std::uint64_t id =
      (((std::uint64_t{seat_.run} << kShardBits) + seat_.index) << kIdBits) + ++last_id_;
  ConnectionOwner& owner = *this;
  connections_.push_back(make_connection(shared_, owner, next_target(), id));
  Connection& connection = *connections_.back();
  connection.place = connections_.size() - 1;
  connection.serial = (last_id_ - 1) * seat_.shards + seat_.index;
  if (successor != nullptr) {
    connection.first_attempt = false;
    connection.publisher = successor->publisher;
    connection.storm = successor->storm;
  } else if (plan_.pattern == Pattern::kPublish) {
    const std::uint64_t per_mille = plan_.publishers_per_mille;
    connection.publisher = (first_attempts_ * per_mille) % 1000 < per_mille;
    first_attempts_ += seat_.shards;
  }
  ++opening_;
  connection.start();
  publish();
}

// The one whose share, by the weights, is the furthest behind. Each shard goes through the turns of
// all, as if they began connections one after the other, and takes its own.
ShardTarget& Shard::next_target() {
  const auto load_of = [](const ShardTarget& each) {
    return static_cast<double>(each.begun) / each.target.weight;
  };
  ShardTarget* mine = nullptr;
  for (std::size_t turn = 0; turn < seat_.shards; ++turn) {
    ShardTarget& target = *std::ranges::min_element(shared_.targets, {}, load_of);
    ++target.begun;
    if (turn == seat_.index) mine = &target;
  }
  return *mine;
}

// A storm has its own way of coming back, until one that it has dropped is open again. Under churn
// the clock brings new ones, and not the end of others.
void Shard::reopen_later(const Connection& connection) {
  if (connection.leaving || (plan_.churn.per_second > 0 && !connection.storm)) return;
  const Reconnect& how = connection.storm ? storms_[*connection.storm] : connection.successor;
  if (!how.on) return;
  std::uniform_real_distribution<double> part(0, 1);
  const double most = static_cast<double>(how.most.count());
  Duration wait(static_cast<std::int64_t>(most * part(shared_.random)));
  if (!connection.was_open() || connection.came_to_nothing) {
    wait = std::max<Duration>(wait, kRetryMin);
  }
  reopen_.push_back({loop_.now() + wait, connection.publisher, connection.storm});
  std::ranges::push_heap(reopen_, std::greater{}, &Successor::at);
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

// First those that are not there yet.
void Shard::let_go_of_surplus(Time now) {
  const std::size_t most = wanted(now);
  // The last place of a heap may go without any other one moving.
  for (; slots_ > most && !reopen_.empty(); --slots_) reopen_.pop_back();
  for (std::size_t i = open_.size(); slots_ > most && i > 0; --i) {
    Connection& connection = *open_[i - 1];
    if (connection.leaving) continue;
    connection.leaving = true;
    connection.successor = {};
    connection.end();
    --slots_;
  }
}

// A whole batch has failed, and nothing was ever open: more would only take longer to say so.
bool Shard::is_hopeless() const {
  return !ever_open_ && settled_ >= kOpeningMax && plan_.churn.per_second <= 0;
}

void Shard::give_up_opening() {
  for (const std::unique_ptr<Connection>& each : connections_) {
    if (each->first_attempt) each->abort();
  }
}

void Shard::publish() {
  const std::size_t missing = phase_.connections - std::min(phase_.connections, slots_);
  const std::size_t to_come = is_hopeless() || end_ ? 0 : missing;
  port_.open.store(open_.size(), std::memory_order_relaxed);
  port_.settled.store(settled_ + (is_hopeless() ? missing + opening_ : 0),
                      std::memory_order_relaxed);
  port_.alive.store(connections_.size() + reopen_.size() + to_come, std::memory_order_relaxed);
}

void Shard::waits(Connection&) {
  --opening_;
  ever_open_ = true;
}

void Shard::opened(Connection& connection) {
  if (!connection.waited) --opening_;
  ever_open_ = true;
  if (connection.first_attempt) ++settled_;
  if (connection.storm) {
    StormPart& part = tally_->storm(*connection.storm);
    ++part.reopened;
    part.last = Clock::now() - seat_.began;
    connection.storm.reset();
  }
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

// What it was owed goes to others, as what is due from now on does; where there is none it stays
// unsent.
void Shard::closing(Connection& connection) {
  if (!connection.publisher_place) return;
  const std::size_t place = *connection.publisher_place;
  publishers_[place] = publishers_.back();
  publishers_[place]->publisher_place = place;
  publishers_.pop_back();
  connection.publisher_place.reset();
  if (publishers_.empty()) return;
  Fifo<Time> owed = connection.take_owed();
  while (!owed.empty() && !publishers_.empty()) next_open()->owe(owed.pop());
  tally_->counts.unsent += owed.size();
}

void Shard::over(Connection& connection) {
  if (connection.was_open()) {
    open_[connection.open_place] = open_.back();
    open_[connection.open_place]->open_place = connection.open_place;
    open_.pop_back();
  } else {
    if (!connection.waited) --opening_;
    if (connection.first_attempt) ++settled_;
  }
  if (!end_) reopen_later(connection);
  const std::size_t place = connection.place;
  std::swap(connections_[place], connections_.back());
  connections_[place]->place = place;
  dead_.push_back(std::move(connections_.back()));
  connections_.pop_back();
  publish();
  if (end_ && connections_.empty()) woken_.set();
}

}  // namespace load
