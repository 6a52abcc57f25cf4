#include "gateway/exchange/dialler.hh"

#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/client/connection.hh"
#include "gateway/shard/shard.hh"
#include "proto/proxy/writer.hh"

namespace gateway {

Dialler::Dialler(Connection& connection, const config::Route& route, UpstreamPool& pool,
                 WishOf wish_of, Purpose purpose)
    : connection_(connection),
      upstreams_(connection.shard().upstreams()),
      route_(route),
      pool_(pool),
      wish_of_(std::move(wish_of)),
      wish_(wish_of_(pool)),
      purpose_(purpose),
      tried_(&upstreams_.frames()),
      attempts_(&upstreams_.frames()),
      progress_(connection.shard().loop().ready()) {
  pool.state().retries().deposit(pool.config().health.retry_budget);
  write_preface();
}

Dialler::~Dialler() = default;

// Where the pool's servers want to know whose connection they get.
void Dialler::write_preface() {
  preface_.clear();
  const proxy::Version version = pool_->config().proxy_header;
  if (version == proxy::Version::kNone) return;
  Link& client = connection_.client();
  const tls::Session* const session = client.session();
  const std::string id = std::to_string(connection_.id());
  proxy::Details details{.unique_id = id};
  if (session != nullptr) {
    details.authority = session->server_name();
    details.protocol = session->protocol();
  }
  uring::Kernel& kernel = connection_.shard().loop().kernel();
  proxy::write_header(preface_, version, connection_.peer().ends(kernel, client.descriptor()),
                      details);
}

uring::BlockPool& Dialler::frames() {
  return upstreams_.frames();
}

// Its servers may be others since this dialler has begun, or was in line. Who is there still keeps
// its place in what was tried.
void Dialler::take_newest() {
  UpstreamPool* const newest = pool_->line().newest();
  if (newest == nullptr || newest == pool_.get()) return;
  const auto before = std::exchange(pool_, uring::Held<UpstreamPool>(*newest));
  const auto place = [&](std::size_t index) {
    return index == balance::kNobody ? index : newest->find(before->server(index).text());
  };
  for (std::size_t& index : tried_) index = place(index);
  std::erase(tried_, balance::kNobody);
  turn_ = place(turn_);
  asked_ = place(asked_);
  wish_ = wish_of_(*newest);
  write_preface();
}

// A place at the server whose turn it is, or at one of those behind it. Who comes while others wait
// does not overtake them, where he may wait, too; but they may have something to wait for no more.
bool Dialler::claim() {
  if (slot_) return true;
  take_newest();
  const bool may_wait = pool_->config().health.queue.length > 0;
  if (may_wait && pool_->state().has_line(purpose_)) {
    pool_->line().freed();
    if (pool_->state().has_line(purpose_)) return false;
  }
  return try_now();
}

// A choice looks at each server once, so nobody is chosen where none can be had.
bool Dialler::try_now() {
  take_newest();
  const auto none_can_be_had = [this] {
    return purpose_ == Purpose::kUpgrade && !pool_->has_upgrades_left();
  };
  if (none_can_be_had()) return false;
  const std::size_t failed = tried_.size();
  const auto trial_time = route_.timeouts.connect + route_.timeouts.upstream_response;
  if (turn_ == balance::kNobody) {
    turn_ = tried_.empty() ? pool_->choose(wish_, purpose_)
                           : pool_->choose_next(wish_, tried_, purpose_);
  }
  while (turn_ != balance::kNobody) {
    slot_ = last_resort_ ? pool_->admit_ejected(turn_, purpose_)
                         : pool_->admit(turn_, purpose_, trial_time);
    if (slot_ || none_can_be_had()) break;
    tried_.push_back(turn_);
    turn_ = pool_->choose_next(wish_, tried_, purpose_);
    last_resort_ = false;
  }
  tried_.resize(failed);
  if (!slot_) return false;
  asked_ = turn_;
  progress_.set();
  return true;
}

UpstreamConnection& Dialler::give(UpstreamConnection& connection) {
  connection.hold(std::move(slot_));
  return connection;
}

UpstreamConnection* Dialler::take_kept() {
  return claim() ? take_kept_there() : nullptr;
}

// A trial, or a last resort, is to tell of the server as it is now: those that are kept are from
// before its failures.
UpstreamConnection* Dialler::take_kept_there() {
  if (slot_.is_trial() || slot_.is_last_resort()) return nullptr;
  UpstreamConnection* const kept = upstreams_.take_kept(*pool_, asked_);
  return kept == nullptr ? nullptr : &give(*kept);
}

bool Dialler::pass_over() {
  take_newest();
  if (turn_ != balance::kNobody) tried_.push_back(turn_);
  std::size_t next = pool_->choose_next(wish_, tried_, purpose_);
  last_resort_ = false;
  const bool may_wait = pool_->config().health.queue.length > 0;
  if (next == balance::kNobody && may_wait && pool_->has_untried(tried_)) {
    // It is merely full, and waited for.
    turn_ = balance::kNobody;
    return true;
  }
  if (next == balance::kNobody) {
    next = pool_->choose_ejected(tried_, purpose_);
    last_resort_ = next != balance::kNobody;
  }
  if (next == balance::kNobody) {
    if (turn_ != balance::kNobody) tried_.pop_back();
    return false;
  }
  turn_ = next;
  return true;
}

bool Dialler::may_retry() {
  return pool_->state().retries().withdraw(pool_->config().health.retry_budget,
                                           connection_.shard().loop().now());
}

uring::Task<UpstreamConnection*> Dialler::dial(Kept kept) {
  // From the first pause on: whoever comes later does not get its place among those on hold.
  std::optional<CountedWait> held;
  for (;;) {
    const bool has_place = co_await await_place(held);
    if (!has_place) co_return nullptr;
    UpstreamConnection* const idle = kept == Kept::kUsed ? take_kept_there() : nullptr;
    if (idle != nullptr) co_return idle;
    connection_.set_deadline(route_.timeouts.connect, Reason::kConnectTimeout);
    ends_ = connection_.shard().loop().now() + route_.timeouts.connect;
    timed_out_ = false;
    dialling_ = true;
    UpstreamConnection* const connected = co_await dial_server();
    dialling_ = false;
    if (connected != nullptr) co_return &give(*connected);
    if (connection_.ended()) break;
    note_failed_dial();
    // Who refuses has got nothing, and costs nothing; silence does, and so does going round again.
    const bool is_free = !timed_out_ && !hold_ends_;
    if (pass_over() && (is_free || may_retry())) continue;
    const bool again = co_await pause(held);
    if (!again) break;
  }
  // Not when the exchange has ended: its connection's farewell may take long.
  slot_ = {};
  if (!connection_.ended()) connection_.end(failure_);
  co_return nullptr;
}

Dialler::Judged Dialler::judged() const {
  UpstreamPool* const newest = pool_->line().newest();
  if (newest == nullptr || newest == pool_.get()) return {*pool_, asked_};
  return {*newest, newest->find(server().text())};
}

void Dialler::note_success(ServerSlot& slot) {
  const auto [pool, index] = judged();
  if (index != balance::kNobody) pool.note_success(index, slot);
}

void Dialler::note_failure(ServerSlot& slot, std::string_view cause) {
  const auto [pool, index] = judged();
  if (index != balance::kNobody) pool.note_failure(index, slot, cause);
}

void Dialler::note_leaving(std::uint16_t status) {
  const auto [pool, index] = judged();
  if (index != balance::kNobody) pool.note_leaving(index, status);
}

void Dialler::note_failed_dial() {
  if (timed_out_) failure_ = {.reason = Reason::kConnectTimeout};
  if (failure_.reason != Reason::kShortage) note_failure(slot_, cause_of(failure_));
  slot_ = {};
}

// Its addresses, the next one as soon as those that are being tried have failed or are late. The
// first connection that stands is taken, and the others are given up.
uring::Task<UpstreamConnection*> Dialler::dial_server() {
  std::pmr::vector<std::size_t> order = upstreams_.addresses_of(*pool_, asked_);
  std::size_t begun = 0;
  sources_tried_ = 0;
  again_.reset();
  UpstreamConnection* connected = nullptr;
  for (;;) {
    progress_.clear();
    connected = look_at_attempts();
    if (connected != nullptr || connection_.ended() || timed_out_) break;
    if (again_) order.insert(order.begin() + static_cast<std::ptrdiff_t>(begun), *again_);
    again_.reset();
    if (all_are_late() && begun < order.size()) {
      begin_attempt(order[begun], order.size() - begun);
      ++begun;
    } else if (attempts_.empty()) {
      break;
    }
    co_await progress_.wait();
  }
  give_up_attempts();
  if (connected == nullptr) co_return nullptr;
  connected->taken();
  if (!connection_.ended()) co_return connected;
  upstreams_.close(*connected);
  co_return nullptr;
}

// Gives the one that stands, if there is one. Those that have failed go.
UpstreamConnection* Dialler::look_at_attempts() {
  using Stage = UpstreamConnection::Stage;
  for (auto next = attempts_.begin(); next != attempts_.end();) {
    UpstreamConnection& attempt = **next;
    const bool is_over = attempt.stage() == Stage::kConnected || attempt.stage() == Stage::kFailed;
    next = is_over ? attempts_.erase(next) : std::next(next);
    if (attempt.stage() == Stage::kConnected) return &attempt;
    if (!is_over) continue;
    failure_ = attempt.failure().end();
    failure_.detail = connection_.keep_detail(attempt.failure().text);
    if (attempt.failure().lacks_source() && ++sources_tried_ < pool_->config().sources.size()) {
      again_ = attempt.address_index();
    }
    upstreams_.close(attempt);
  }
  return nullptr;
}

bool Dialler::all_are_late() const {
  return std::ranges::all_of(attempts_, [](const UpstreamConnection* attempt) {
    return attempt->stage() == UpstreamConnection::Stage::kLate;
  });
}

// It has its share of the time that is left, however soon the next one is tried.
void Dialler::begin_attempt(std::size_t address, std::size_t untried) {
  const bool spare = attempts_.empty() || upstreams_.has_spare_descriptors();
  if (attempts_.size() == kSideBySide || !spare) {
    upstreams_.close(*attempts_.front());
    attempts_.erase(attempts_.begin());
  }
  const auto left = ends_ - connection_.shard().loop().now();
  const uring::Clock::duration share = left / static_cast<long>(untried);
  attempts_.push_back(&upstreams_.open(*pool_, asked_));
  attempts_.back()->dial(
      address,
      {.connect = std::min<uring::Clock::duration>(share, kAddressDelay), .handshake = share},
      progress_, preface_);
}

void Dialler::give_up_attempts() {
  for (UpstreamConnection* attempt : attempts_) upstreams_.close(*attempt);
  attempts_.clear();
}

void Dialler::time_over() {
  timed_out_ = true;
  progress_.set();
}

}  // namespace gateway
