#include "gateway/upstream/upstreams.hh"

#include <algorithm>
#include <cerrno>

#include "gateway/log/quoted.hh"

namespace gateway {
namespace {

std::expected<std::unique_ptr<tls::ClientContext>, std::string> load_context(
    const config::Pool& pool, tls::RecordBuffers* buffers) {
  tls::ClientOptions options{.verify = pool.tls->verify};
  if (options.verify) options.ca = pool.tls->ca;
  auto context = tls::ClientContext::load(options, buffers);
  if (!context) {
    return std::unexpected("pool." + pool.name + ".tls (" + pool.tls->ca_path +
                           "): " + context.error());
  }
  return context;
}

}  // namespace

UpstreamConnection::UpstreamConnection(Upstreams& owner, uring::LinkResources& links,
                                       const config::Pool& pool, const config::Server& server)
    : owner_(owner),
      pool_(pool),
      server_(server),
      link_(links),
      opened_(links.loop.now()),
      timer_(*this, links.loop.timers()) {}

bool UpstreamConnection::Failure::is_shortage() const {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

End UpstreamConnection::Failure::end() const {
  return {.reason = is_shortage() ? Reason::kShortage : Reason::kUpstreamUnreachable,
          .error = error,
          .detail = text};
}

void UpstreamConnection::dial(std::size_t address, Patience patience, uring::Event& progress) {
  address_ = static_cast<std::uint32_t>(address);
  progress_ = &progress;
  owner_.note_attempt(*this);
  dialling_ = dial_story(patience);
  dialling_.start();
}

uring::Task<> UpstreamConnection::dial_story(Patience patience) {
  const config::Address& address = server_.addresses[address_];
  timer_.arm(opened_ + patience.connect);
  const int error = co_await link_.connect(address.get(), address.length);
  bool connected = error == 0;
  if (!connected) failure_ = std::make_unique<Failure>(Failure{.error = error, .text = {}});
  if (connected && pool_.tls) {
    timer_.arm(opened_ + patience.handshake);
    const bool done = co_await shake_hands();
    connected = done;
  }
  timer_.disarm();
  if (progress_ == nullptr) {
    owner_.begin_close(*this, Farewell::kNone);
  } else {
    enter(connected ? Stage::kConnected : Stage::kFailed);
  }
}

void UpstreamConnection::enter(Stage stage) {
  stage_ = stage;
  owner_.note_stage(*this);
  progress_->set();
}

void UpstreamConnection::taken() {
  progress_ = nullptr;
  dialling_ = {};
}

uring::Task<bool> UpstreamConnection::shake_hands() {
  const std::string& name = pool_.tls->name.empty() ? server_.host : pool_.tls->name;
  link_.secure(
      std::make_unique<tls::Session>(*owner_.tls_of(pool_), name, owner_.state_of(*this).ticket));
  link_.start_handshake();
  const bool done = co_await link_.handshake();
  // Nobody has asked anything yet, so it is nobody's answer; and it would have to be read at once.
  const bool spoke = done && link_.has_behind_handshake();
  if (done && !spoke) co_return true;
  failure_ = std::make_unique<Failure>();
  if (spoke) {
    failure_->text = "the server spoke before it was asked";
    co_return false;
  }
  failure_->error = link_.error_number();
  if (link_.end() == uring::LinkEnd::kTlsFailed) {
    failure_->text = "TLS with the server failed: " + link_.session()->error().text();
  } else {
    failure_->text = "the server left during the TLS handshake";
  }
  co_return false;
}

// While it is kept: the server has closed it, or said something that nobody asked for.
void UpstreamConnection::on_noticed() {
  std::string unasked;
  if (link_.take_input(unasked) == Link::Input::kNothing) return;
  owner_.forget_kept(*this);
  owner_.begin_close(*this, Farewell::kNone);
}

void UpstreamConnection::on_time_over() {
  const bool dials = progress_ != nullptr && !dialling_.done();
  if (dials) return enter(Stage::kLate);
  if (!kept_) return link_.abort();  // closing takes too long
  owner_.forget_kept(*this);
  owner_.begin_close(*this, Farewell::kPolite);
}

uring::Task<> UpstreamConnection::close_story(Farewell farewell) {
  const bool speaks = link_.is_open() && link_.end() != uring::LinkEnd::kFailed;
  if (speaks && farewell != Farewell::kNone) link_.clear_abort();
  if (speaks && farewell == Farewell::kReset) {
    timer_.arm(owner_.links_.loop.now() + Upstreams::kResetTime);
    co_await link_.drained();
    link_.reset_on_close();
  } else if (speaks && farewell != Farewell::kNone) {
    co_await take_leave(farewell);
  }
  timer_.disarm();
  co_await link_.close();
  owner_.links_.loop.push_next_turn(noticed_or_closed_);
}

uring::Task<> UpstreamConnection::take_leave(Farewell farewell) {
  const bool whole = farewell == Farewell::kPolite;
  link_.write_end(whole ? Link::Ending::kWhole : Link::Ending::kTruncated);
  // An upload that was answered early is still delivered, as long as the server takes of it.
  while (whole && listed() && link_.has_unsent() && !link_.send_failed()) {
    const std::uint64_t taken = link_.sent_bytes();
    timer_.arm(owner_.links_.loop.now() + Upstreams::kFlushTime);
    co_await link_.drained();
    if (link_.sent_bytes() == taken) break;
    if (listed()) link_.clear_abort();
  }
  timer_.arm(owner_.links_.loop.now() + Upstreams::kLingerTime);
  co_await link_.drained();
  // Without reading on, a server that still speaks would make a reset of our last bytes.
  link_.forget_session();
  const std::uint64_t start = link_.received_bytes();
  while (link_.received_bytes() - start < Upstreams::kLingerBytes) {
    const Bytes discarded = co_await link_.read_once(Upstreams::kLingerBytes);
    if (discarded.empty()) break;
  }
}

void UpstreamConnection::on_noticed_or_closed() {
  kept_ ? on_noticed() : owner_.forget(*this);
}

Upstreams::Upstreams(uring::LinkResources& links, const config::Config& config,
                     ServerCounts& counts, DescriptorBudget& descriptors, std::size_t shard,
                     Log log)
    : links_(links),
      config_(config),
      counts_(counts),
      descriptors_(descriptors),
      shard_(shard),
      log_(log),
      addresses_(config),
      turns_(config.pools.size(), shard),
      servers_(config::server_count(config)),
      contexts_(config.pools.size()),
      all_gone_(links.loop.ready()) {}

std::expected<void, std::string> Upstreams::load_tls(tls::RecordBuffers& buffers) {
  for (std::size_t index = 0; index < config_.pools.size(); ++index) {
    if (!config_.pools[index].tls) continue;
    auto context = load_context(config_.pools[index], &buffers);
    if (!context) return std::unexpected(context.error());
    contexts_[index] = std::move(*context);
  }
  return {};
}

std::size_t Upstreams::choose(const config::Pool& pool) {
  const std::size_t count = pool.servers.size();
  const std::size_t start = turns_[index_of(pool)]++ % count;
  if (pool.balance == config::Balance::round_robin) return start;
  std::size_t best = start;
  for (std::size_t step = 1; step < count; ++step) {
    const std::size_t other = (start + step) % count;
    if (counts_.of(pool.servers[other].index) < counts_.of(pool.servers[best].index)) best = other;
  }
  return best;
}

UpstreamConnection* Upstreams::take_kept(const config::Server& server) {
  UpstreamConnection* quiet = nullptr;
  // The newest first: the others may be idle for long enough to be closed.
  const auto now = links_.loop.now();
  servers_[server.index].kept.find_from_last([&](UpstreamConnection& connection) {
    if (connection.link_.quiet() && now >= connection.usable_from_) quiet = &connection;
    return quiet != nullptr;
  });
  if (quiet == nullptr) return nullptr;
  forget_kept(*quiet);
  quiet->timer_.disarm();
  quiet->reused_ = true;
  note_borrowed(server);
  return quiet;
}

UpstreamConnection& Upstreams::open(const config::Pool& pool, const config::Server& server) {
  if (descriptors_.clients_more() == 0) give_up_idle(1);
  ++open_;
  note_borrowed(server);
  return *frames().make<UpstreamConnection>(*this, links_, pool, server).release();
}

void Upstreams::keep(UpstreamConnection& connection, std::optional<std::uint32_t> server_says_s,
                     Reuse reuse) {
  const config::KeepAlive& limits = connection.pool_.keep_alive;
  const auto now = links_.loop.now();
  std::chrono::milliseconds idle = limits.idle;
  if (server_says_s) {
    // A second earlier than the server, so that no request meets it closing.
    const std::uint32_t shortened = *server_says_s > 0 ? *server_says_s - 1 : 0;
    idle = std::min<std::chrono::milliseconds>(idle, std::chrono::seconds(shortened));
  }
  PerServer& server = state_of(connection);
  const auto ends = std::min(now + idle, connection.opened_ + limits.age);
  if (ends <= now || server.kept_count >= limits.count) return close(connection, Farewell::kPolite);
  if (!server.ticket) note_ticket(connection);
  note_returned(connection.server_);
  connection.kept_ = true;
  connection.usable_from_ = reuse == Reuse::kLater ? now + kSettling : now;
  connection.timer_.arm(ends);
  server.kept.push(connection);
  ++server.kept_count;
  connection.link_.watch_input(connection.noticed_or_closed_, kHeadReadBytes);
}

void Upstreams::close(UpstreamConnection& connection, Farewell farewell) {
  note_returned(connection.server_);
  connection.progress_ = nullptr;
  if (connection.dialling_.done()) return begin_close(connection, farewell);
  // It closes itself when what it waits for has ended.
  connection.timer_.disarm();
  connection.link_.abort();
}

void Upstreams::note_attempt(const UpstreamConnection& connection) {
  addresses_.note_attempt(connection.server_, connection.address_, links_.loop.now());
}

void Upstreams::note_stage(const UpstreamConnection& connection) {
  using Stage = UpstreamConnection::Stage;
  const config::Server& server = connection.server_;
  const std::size_t address = connection.address_;
  if (connection.stage_ == Stage::kConnected) {
    if (!addresses_.note_success(server, address)) return;
    return log_.info("address upstream={} address={} state=fine", server.text,
                     server.addresses[address].text());
  }
  const bool late = connection.stage_ == Stage::kLate;
  if (!late && connection.failure().is_shortage()) return;
  if (!addresses_.note_failure(server, address, links_.loop.now())) return;
  const End why = late ? End{.reason = Reason::kConnectTimeout} : connection.failure().end();
  log_.warning("address upstream={} address={} state=avoided cause={}", server.text,
               server.addresses[address].text(), Quoted(cause_of(why)));
}

void Upstreams::note_borrowed(const config::Server& server) {
  counts_.add(server.index);
  ++borrowed_;
  descriptors_.note_idle(shard_, open_ - borrowed_);
}

void Upstreams::note_returned(const config::Server& server) {
  counts_.remove(server.index);
  --borrowed_;
  descriptors_.note_idle(shard_, open_ - borrowed_);
}

void Upstreams::give_up_idle(std::size_t count) {
  for (PerServer& server : servers_) {
    for (; count > 0 && !server.kept.empty(); --count) {
      UpstreamConnection& connection = server.kept.first();
      forget_kept(connection);
      begin_close(connection, Farewell::kNone);
    }
  }
  for (; count > 0 && !closing_slowly_.empty(); --count) closing_slowly_.pop().link_.abort();
}

// For the next handshake with the same server.
void Upstreams::note_ticket(UpstreamConnection& connection) {
  const tls::Session* session = connection.link_.session();
  if (session == nullptr) return;
  if (tls::Ticket ticket = session->ticket()) state_of(connection).ticket = std::move(ticket);
}

void Upstreams::begin_close(UpstreamConnection& connection, Farewell farewell) {
  note_ticket(connection);
  connection.timer_.disarm();
  if (farewell != Farewell::kNone) closing_slowly_.push(connection);
  connection.closing_ = connection.close_story(farewell);
  connection.closing_.start();
}

void Upstreams::forget_kept(UpstreamConnection& connection) {
  connection.unlist();
  --state_of(connection).kept_count;
  connection.kept_ = false;
  connection.link_.unwatch_input();
}

void Upstreams::forget(UpstreamConnection& connection) {
  connection.unlist();
  uring::BlockPool::Owned<UpstreamConnection>(&connection).reset();
  --open_;
  descriptors_.note_idle(shard_, open_ - borrowed_);
  if (open_ == 0) all_gone_.set();
}

uring::Task<> Upstreams::close_all() {
  for (PerServer& server : servers_) {
    while (!server.kept.empty()) {
      UpstreamConnection& connection = server.kept.last();
      forget_kept(connection);
      begin_close(connection, Farewell::kNone);
    }
  }
  while (open_ > 0) {
    all_gone_.clear();
    co_await all_gone_.wait();
  }
}

void Upstreams::cut() {
  while (!closing_slowly_.empty()) closing_slowly_.pop().link_.abort();
}

}  // namespace gateway
