#include "gateway/dialler.hh"

#include "gateway/connection.hh"
#include "gateway/shard.hh"

namespace gateway {
namespace {

// The gateway has run out of something, which is not the server's fault.
bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

}  // namespace

Dialler::Dialler(Connection& connection, const config::Config& config, const config::Pool& pool)
    : connection_(connection),
      upstreams_(connection.shard().upstreams()),
      config_(config),
      pool_(pool),
      first_(upstreams_.choose(pool)) {}

uring::BlockPool& Dialler::frames() {
  return upstreams_.frames();
}

UpstreamConnection* Dialler::take_kept() {
  return upstreams_.take_kept(server());
}

bool Dialler::pass_over() {
  if (passed_over_ + 1 == pool_.servers.size()) return false;
  ++passed_over_;
  return true;
}

uring::Task<UpstreamConnection*> Dialler::dial(Kept kept) {
  do {
    UpstreamConnection* const idle = kept == Kept::kUsed ? take_kept() : nullptr;
    if (idle != nullptr) co_return idle;
    connection_.set_deadline(config_.timeouts.connect, {.reason = Reason::kConnectTimeout});
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

// Its addresses in turn.
uring::Task<UpstreamConnection*> Dialler::dial_server() {
  for (const config::Address& address : server().addresses) {
    dialled_ = &upstreams_.open(pool_, server());
    const bool connected = co_await dialled_->connect(address);
    UpstreamConnection* const connection = std::exchange(dialled_, nullptr);
    if (connected && !connection_.ended()) co_return connection;
    note_failure(connection->connect_failure());
    upstreams_.close(*connection);
    if (connection_.ended() || timed_out_) break;
  }
  co_return nullptr;
}

void Dialler::note_failure(const UpstreamConnection::Failure& why) {
  failure_ = {.reason = is_shortage(why.error) ? Reason::kShortage : Reason::kUpstreamUnreachable,
              .error = why.error,
              .detail = connection_.keep_detail(why.text)};
}

void Dialler::abort() {
  if (dialled_ != nullptr) dialled_->link().abort();
}

void Dialler::time_over() {
  timed_out_ = true;
  abort();
}

}  // namespace gateway
