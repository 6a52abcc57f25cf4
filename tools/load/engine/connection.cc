#include "tools/load/engine/connection.hh"

#include <algorithm>
#include <cstring>

#include "tools/load/engine/http_connection.hh"
#include "tools/load/engine/source.hh"
#include "tools/load/engine/ws_connection.hh"

namespace load {
namespace {

constexpr std::chrono::seconds kEndMax{2};
// Messages of one connection that were due and could not go.
constexpr std::size_t kOwedMax = 65'536;

std::uint64_t messages_of(const Plan& plan) {
  if (plan.pattern == Pattern::kHold) return 1;
  const bool silent = plan.pattern == Pattern::kPush || plan.pattern == Pattern::kHandshake;
  return silent ? 0 : ~std::uint64_t{0};
}

// Who takes the place of a connection that is over.
Reconnect successor_of(const Plan& plan) {
  if (plan.churn.per_second > 0) return {};
  if (plan.pattern == Pattern::kHandshake || plan.churn.life.count() > 0) return {.on = true};
  return plan.reconnect;
}

// What lives for a drawn time: at least long enough to have been open.
uring::Clock::duration draw_life(Shared& shared) {
  const double mean = std::chrono::duration<double>(shared.plan.churn.life).count();
  std::exponential_distribution<double> distribution(1 / mean);
  return std::chrono::duration_cast<uring::Clock::duration>(
      std::chrono::duration<double>(distribution(shared.random)));
}

}  // namespace

std::unique_ptr<Connection> make_connection(Shared& shared, ConnectionOwner& owner,
                                            ShardTarget& target, std::uint64_t id) {
  if (target.target.websocket) return std::make_unique<WsConnection>(shared, owner, target, id);
  return std::make_unique<HttpConnection>(shared, owner, target, id);
}

Connection::Connection(Shared& shared, ConnectionOwner& owner, ShardTarget& target,
                       std::uint64_t id)
    : shared_(shared),
      target_(target),
      id_(id),
      link_(shared.runtime.links()),
      owner_(owner),
      messages_left_(messages_of(shared.plan)),
      pump_over_(shared.runtime.loop().ready()),
      limit_(*this, shared.runtime.loop().timers()),
      story_(run()) {
  successor = successor_of(shared.plan);
}

uring::Task<> Connection::run() {
  ++tally().counts.connects;
  limit_.arm(shared_.now() + shared_.plan.open_limit);
  connect_began_ = shared_.now();
  const bool done = co_await open();
  limit_.disarm();
  open_ = done && !closing_;
  if (open_) {
    was_open_ = true;
    opened_at_ = shared_.now();
    ++tally().counts.opened;
    const bool lives = shared_.plan.churn.life.count() > 0;
    if (lives) limit_.arm(shared_.now() + draw_life(shared_));
    owner_.opened(*this);
    if (shared_.plan.pattern == Pattern::kHandshake && !lives) end();
    co_await converse();
    open_ = false;
    settle();
    limit_.arm(shared_.now() + kEndMax);
    while (pumping_) {
      pump_over_.clear();
      co_await pump_over_.wait();
    }
    link_.write_end();
    co_await link_.drained();
    limit_.disarm();
  } else if (!ended_by_us_) {
    ++tally().counts.failed;
  }
  co_await link_.close();
  owner_.over(*this);
}

uring::Task<bool> Connection::open() {
  if (!bind_source()) co_return false;
  const tools::Address& address = target_.target.address;
  const int error = co_await link_.connect(address.get(), address.size);
  if (error != 0) {
    if (is_own_lack(error)) ++tally().lacks[error];
    fail("connect: " + std::string(error == ECANCELED ? "timeout" : std::strerror(error)));
    co_return false;
  }
  tally().timing(Timing::kTcp).add(shared_.now() - connect_began_);
  if (target_.tls != nullptr) {
    const bool done = co_await shake_hands();
    if (!done) co_return false;
  }
  upgrade_began_ = shared_.now();
  const bool upgraded = co_await upgrade();
  if (!upgraded || shared_.plan.steps.empty()) co_return upgraded;
  const bool prepared = co_await prepare();
  co_return prepared;
}

uring::Task<bool> Connection::prepare() {
  co_return true;
}

uring::Task<bool> Connection::shake_hands() {
  const Time began = shared_.now();
  const Plan& plan = shared_.plan;
  const std::string& name =
      plan.server_name.empty() ? target_.target.host_port.host : plan.server_name;
  const bool resume = std::bernoulli_distribution(plan.resumed_share)(shared_.random);
  link_.secure(
      std::make_unique<tls::Session>(*target_.tls, name, resume ? target_.ticket : tls::Ticket{}));
  link_.start_handshake();
  const bool done = co_await link_.handshake();
  if (!done) {
    const bool told = link_.end() == uring::LinkEnd::kTlsFailed;
    fail("tls: " + (told ? link_.session()->error().text() : std::string("connection ended")));
    co_return false;
  }
  tally().timing(Timing::kTls).add(shared_.now() - began);
  ++(link_.session()->resumed() ? tally().counts.resumed : tally().counts.full);
  co_return true;
}

bool Connection::bind_source() {
  const auto bound = bind_to_source(shared_, target_, link_);
  if (!bound) fail(bound.error().kind, bound.error().example);
  return bound.has_value();
}

void Connection::owe(Time due) {
  if (!open_ || closing_ || owed_.size() == kOwedMax) {
    ++tally().counts.unsent;
    return;
  }
  owed_.push(due);
  go_on();
}

void Connection::forget_owed() {
  tally().counts.unsent += owed_.size();
  owed_.clear();
}

void Connection::pause(Duration time) {
  pausing_ = true;
  pause_began_ = shared_.now();
  limit_.arm(pause_began_ + time);
  if (!std::exchange(waited, true)) owner_.waits(*this);
}

// The time is none that the peer took.
bool Connection::pause_is_over() {
  connect_began_ += shared_.now() - pause_began_;
  if (pausing_ || ended_by_us_) return false;
  link_.clear_abort();
  return true;
}

// So many answers were got, or given up.
void Connection::think(std::uint64_t answers) {
  const DurationRange& range = shared_.plan.think;
  if (range.empty() || closing_) return;
  if (!thinking_) {
    thinking_ = std::make_unique<ThinkTime>(shared_.runtime.loop(), [this] { go_on(); });
  }
  for (; answers > 0; --answers) thinking_->begin(shared_.now() + range.draw(shared_.random));
}

bool Connection::may_send() const {
  if (!shared_.sending || closing_ || messages_left_ == 0 || !publisher) return false;
  const std::uint64_t thinking = thinking_ ? thinking_->places() : 0;
  if (window_.pending() + thinking >= shared_.plan.in_flight) return false;
  return shared_.closed_loop || !owed_.empty();
}

Connection::Taken Connection::take_due(std::uint64_t bytes) {
  const Time now = shared_.now();
  const Time due = owed_.empty() ? now : owed_.pop();
  --messages_left_;
  Counts& counts = tally().counts;
  ++counts.sent;
  counts.sent_bytes += bytes;
  return {.number = window_.send(due, now), .due = due};
}

void Connection::note(const SequenceWindow::Verdict& verdict, std::uint64_t bytes) {
  using Kind = SequenceWindow::Kind;
  Counts& counts = tally().counts;
  counts.received_bytes += bytes;
  if (verdict.kind == Kind::kLate) ++counts.late;
  if (verdict.kind == Kind::kDuplicate) ++counts.duplicated;
  if (verdict.kind == Kind::kUnknown) ++counts.unexpected;
  if (verdict.kind != Kind::kAnswer && verdict.kind != Kind::kReordered) return;
  if (verdict.kind == Kind::kReordered) ++counts.reordered;
  ++counts.received;
  think(1);
  const Time now = shared_.now();
  tally().timing(Timing::kRtt).add(now - verdict.flight.due);
  tally().timing(Timing::kService).add(now - verdict.flight.sent);
  if (was_answered_) return;
  was_answered_ = true;
  // That the others were awaited between the two is no fault of the target's.
  const Time asked = std::max(verdict.flight.due, opened_at_);
  tally().timing(Timing::kFirstMessage).add(opened_at_ - connect_began_ + (now - asked));
}

void Connection::note_waited(Time before) {
  const Time now = shared_.now();
  window_.each_pending_before(before, [&](const SequenceWindow::Flight& flight) {
    tally().timing(Timing::kRtt).add(now - flight.due);
    tally().timing(Timing::kService).add(now - flight.sent);
  });
}

void Connection::give_up_before(Time time) {
  note_waited(time);
  give_up_pushes_before(time);
  const std::uint64_t lost = window_.give_up_before(time);
  if (lost == 0) return;
  tally().counts.lost += lost;
  think(lost);
  if (answers_have_numbers()) return go_on();
  fail("answer: timeout");
  if (!closing_) ++tally().counts.closed_by_us;
  give_way();
  abort();
}

void Connection::give_way() {
  if (closing_) return;
  ended_by_us_ = true;
  if (shared_.plan.churn.per_second <= 0) successor.on = true;
  stop_sending();
}

void Connection::stop_sending() {
  if (closing_) return;
  closing_ = true;
  if (was_open_) owner_.closing(*this);
}

void Connection::go_on() {
  if (pumping_ || !can_write()) return;
  if (write_due()) return;
  pumping_ = true;
  pump_story_ = pump();
  pump_story_.start();
}

bool Connection::can_write() const {
  return open_ && !link_.send_failed() && link_.end() != uring::LinkEnd::kAborted;
}

// Goes on writing where a batch was full.
uring::Task<> Connection::pump() {
  bool all = false;
  while (!all && can_write()) {
    co_await link_.drained();
    all = !can_write() || write_due();
  }
  pumping_ = false;
  pump_over_.set();
}

void Connection::end() {
  ended_by_us_ = true;
  if (closing_) return;
  if (!open_) return abort();
  stop_sending();
  limit_.arm(shared_.now() + kEndMax);
  ++tally().counts.closed_by_us;
  say_goodbye();
}

void Connection::abort() {
  ended_by_us_ = true;
  stop_sending();
  // A peer that does not read would never learn of a FIN behind what it has not read.
  link_.reset_on_close();
  link_.abort();
}

void Connection::on_limit() {
  if (open_ && !closing_) return end();
  // A pause is over, or the close handshake, behind which the server did not end the connection.
  if (std::exchange(pausing_, false) || in_order_) return link_.abort();
  link_.reset_on_close();
  link_.abort();
}

// What is still under way when the connection has ended, and what was never sent.
void Connection::settle() {
  Counts& counts = tally().counts;
  const bool was_sending = window_.pending() > 0 || !owed_.empty();
  stop_sending();
  // At the end they have had their time. What is cut off before says nothing of how long it takes.
  if (ended_by_us_ && !shared_.sending) {
    note_waited(Time::max());
    for (std::size_t i = 0; i < owed_.size(); ++i) {
      tally().timing(Timing::kRtt).add(shared_.now() - owed_[i]);
    }
  }
  (in_order_ ? counts.lost : counts.unanswered) += window_.give_up();
  forget_owed();
  give_up_pushes_before(Time::max());
  if (!ended_by_us_) ++(was_sending ? counts.lost_sending : counts.lost_idle);
  if (target_.tls != nullptr && shared_.plan.resumed_share > 0) {
    if (tls::Ticket ticket = link_.session()->ticket()) target_.ticket = std::move(ticket);
  }
}

void Connection::fail(std::string_view kind, std::string_view example) {
  if (closing_) return;
  failed_ = true;
  tally().add_error(kind, example.empty() ? target_.target.text : example);
}

std::string Connection::how_it_ended() {
  switch (link_.end()) {
    case uring::LinkEnd::kEndOfStream:
      return "end of the stream";
    case uring::LinkEnd::kTruncated:
      return "end of the stream without close_notify";
    case uring::LinkEnd::kFailed:
      return std::strerror(link_.error_number());
    case uring::LinkEnd::kAborted:
      return "timeout";
    case uring::LinkEnd::kTlsFailed:
      return "TLS: " + link_.session()->error().text();
    case uring::LinkEnd::kNone:
      break;
  }
  return "not ended";
}

}  // namespace load
