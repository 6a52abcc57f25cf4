#include "gateway/exchange/dialler.hh"

#include <algorithm>
#include <iterator>

#include "gateway/client/connection.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

Dialler::Dialler(Connection& connection, const config::Route& route, UpstreamPool& pool)
    : connection_(connection),
      upstreams_(connection.shard().upstreams()),
      route_(route),
      pool_(pool),
      first_(pool.choose()),
      attempts_(&upstreams_.frames()),
      progress_(connection.shard().loop().ready()) {}

uring::BlockPool& Dialler::frames() {
  return upstreams_.frames();
}

UpstreamConnection* Dialler::take_kept() {
  return upstreams_.take_kept(pool_, turn());
}

bool Dialler::pass_over() {
  while (passed_over_ + 1 < pool_.size()) {
    ++passed_over_;
    if (pool_.takes(turn())) return true;
  }
  return false;
}

uring::Task<UpstreamConnection*> Dialler::dial(Kept kept) {
  do {
    UpstreamConnection* const idle = kept == Kept::kUsed ? take_kept() : nullptr;
    if (idle != nullptr) co_return idle;
    connection_.set_deadline(route_.timeouts.connect, Reason::kConnectTimeout);
    ends_ = connection_.shard().loop().now() + route_.timeouts.connect;
    timed_out_ = false;
    dialling_ = true;
    UpstreamConnection* const connected = co_await dial_server();
    dialling_ = false;
    if (connected != nullptr) co_return connected;
    if (connection_.ended()) co_return nullptr;
    if (timed_out_) failure_ = {.reason = Reason::kConnectTimeout};
  } while (pass_over());
  connection_.end(failure_);
  co_return nullptr;
}

// Its addresses, the next one as soon as those that are being tried have failed or are late. The
// first connection that stands is taken, and the others are given up.
uring::Task<UpstreamConnection*> Dialler::dial_server() {
  const std::pmr::vector<std::size_t> order = upstreams_.addresses_of(pool_, turn());
  std::size_t begun = 0;
  UpstreamConnection* connected = nullptr;
  for (;;) {
    progress_.clear();
    connected = look_at_attempts();
    if (connected != nullptr || connection_.ended() || timed_out_) break;
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
  attempts_.push_back(&upstreams_.open(pool_, turn()));
  attempts_.back()->dial(
      address,
      {.connect = std::min<uring::Clock::duration>(share, kAddressDelay), .handshake = share},
      progress_);
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
