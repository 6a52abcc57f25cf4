#include "gateway/upstream/upstreams.hh"

#include <algorithm>

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

bool is_same_trust(const std::optional<config::PoolTls>& one,
                   const std::optional<config::PoolTls>& other) {
  if (!one || !other) return !one && !other;
  return one->name == other->name && one->ca == other->ca && one->verify == other->verify;
}

bool is_same_set(AddressMemory::Addresses some, AddressMemory::Addresses others) {
  const auto all_in = [](AddressMemory::Addresses these, AddressMemory::Addresses those) {
    return std::ranges::all_of(these, [&](const config::Address& address) {
      return std::ranges::find(those, address) != those.end();
    });
  };
  return all_in(some, others) && all_in(others, some);
}

}  // namespace

Upstreams::Upstreams(uring::LinkResources& links, tls::RecordBuffers& buffers, Registry& registry,
                     Counters& counters, DescriptorBudget& descriptors, std::size_t shard, Log log)
    : links_(links),
      buffers_(buffers),
      registry_(registry),
      counters_(counters),
      descriptors_(descriptors),
      shard_(shard),
      log_(log),
      all_gone_(links.loop.ready()) {}

std::expected<uring::Held<UpstreamPool>, std::string> Upstreams::make_pool(
    const config::SharedGeneration& generation, std::size_t index, const UpstreamPool* previous) {
  const config::Pool& pool = generation->config.pools[index];
  std::unique_ptr<tls::ClientContext> tls;
  if (pool.tls) {
    auto loaded = load_context(pool, &buffers_);
    if (!loaded) return std::unexpected(loaded.error());
    tls = std::move(*loaded);
  }
  std::vector<uring::Held<UpstreamServer>> servers;
  for (const config::Server& server : pool.servers) {
    servers.push_back(server_of(pool, server, previous));
  }
  return uring::Held<UpstreamPool>::make(*this, generation, pool, std::move(servers),
                                         std::move(tls), previous ? previous->turn_ : shard_);
}

// The previous pool's where that is the same server, asked in the same way: what is kept was opened
// with that trust.
uring::Held<UpstreamServer> Upstreams::server_of(const config::Pool& pool,
                                                 const config::Server& server,
                                                 const UpstreamPool* previous) {
  if (previous != nullptr && is_same_trust(previous->config().tls, pool.tls)) {
    for (const uring::Held<UpstreamServer>& known : previous->servers_) {
      if (known->text() == server.text) return known;
    }
  }
  auto made = uring::Held<UpstreamServer>::make(
      server.text, registry_.server(pool.name, server.text),
      counters_.of(Subject::kServer, pool.name + " " + server.text));
  servers_.push(*made);
  return made;
}

void Upstreams::succeed(const UpstreamPool& previous, UpstreamPool& pool) {
  for (std::size_t index = 0; index < pool.size(); ++index) {
    UpstreamServer& server = pool.server(index);
    for (std::size_t other = 0; other < previous.size(); ++other) {
      if (&previous.server(other) != &server) continue;
      server.addresses_.keep_only(pool.addresses_of(index));
      const bool goes_on = is_same_set(previous.addresses_of(other), pool.addresses_of(index)) &&
                           previous.config().keep_alive == pool.config().keep_alive;
      if (goes_on) continue;
      pool.eras_[index] = ++server.era_;
      give_up_kept(server, Farewell::kPolite);
    }
  }
}

UpstreamConnection* Upstreams::take_kept(UpstreamPool& pool, std::size_t index) {
  UpstreamConnection* quiet = nullptr;
  // The newest first: the others may be idle for long enough to be closed.
  const auto now = links_.loop.now();
  pool.server(index).kept_.find_from_last([&](UpstreamConnection& connection) {
    if (connection.link_.quiet() && now >= connection.usable_from_) quiet = &connection;
    return quiet != nullptr;
  });
  if (quiet == nullptr) return nullptr;
  forget_kept(*quiet);
  quiet->timer_.disarm();
  quiet->reused_ = true;
  quiet->pool_ = uring::Held<UpstreamPool>(pool);
  quiet->index_ = static_cast<std::uint32_t>(index);
  note_borrowed(*quiet->server_);
  return quiet;
}

UpstreamConnection& Upstreams::open(UpstreamPool& pool, std::size_t index) {
  if (descriptors_.clients_more() == 0) give_up_idle(1);
  ++open_;
  note_borrowed(pool.server(index));
  return *frames().make<UpstreamConnection>(*this, links_, pool, index).release();
}

void Upstreams::keep(UpstreamConnection& connection, std::optional<std::uint32_t> server_says_s,
                     Reuse reuse) {
  const config::KeepAlive& limits = connection.pool_->config().keep_alive;
  const auto now = links_.loop.now();
  std::chrono::milliseconds idle = limits.idle;
  if (server_says_s) {
    // A second earlier than the server, so that no request meets it closing.
    const std::uint32_t shortened = *server_says_s > 0 ? *server_says_s - 1 : 0;
    idle = std::min<std::chrono::milliseconds>(idle, std::chrono::seconds(shortened));
  }
  UpstreamServer& server = *connection.server_;
  const auto ends = std::min(now + idle, connection.opened_ + limits.age);
  const bool is_stale = ends <= now || connection.era_ != server.era_ || server.state_->draining();
  if (is_stale || server.kept_count_ >= limits.count) {
    return close(connection, Farewell::kPolite);
  }
  if (!server.ticket_) note_ticket(connection);
  note_returned(server);
  connection.kept_ = true;
  connection.usable_from_ = reuse == Reuse::kLater ? now + kSettling : now;
  connection.timer_.arm(ends);
  server.kept_.push(connection);
  ++server.kept_count_;
  connection.link_.watch_input(connection.noticed_or_closed_, kHeadReadBytes);
  // Last: if nobody else has that pool any more, nothing of it is kept.
  connection.pool_ = {};
}

void Upstreams::close(UpstreamConnection& connection, Farewell farewell) {
  note_returned(*connection.server_);
  connection.progress_ = nullptr;
  if (connection.dialling_.done()) return begin_close(connection, farewell);
  // It closes itself when what it waits for has ended.
  connection.timer_.disarm();
  connection.link_.abort();
}

void Upstreams::note_attempt(const UpstreamConnection& connection) {
  connection.server_->addresses_.note_attempt(connection.address(), links_.loop.now());
}

void Upstreams::note_stage(const UpstreamConnection& connection) {
  using Stage = UpstreamConnection::Stage;
  UpstreamServer& server = *connection.server_;
  if (connection.stage_ == Stage::kConnected) {
    if (!server.addresses_.note_success(connection.address())) return;
    return log_.info("address upstream={} address={} state=fine", server.text(),
                     connection.address().text());
  }
  const bool late = connection.stage_ == Stage::kLate;
  if (!late && connection.failure().is_shortage()) return;
  const auto addresses = connection.pool_->addresses_of(connection.index_);
  const auto now = links_.loop.now();
  if (!server.addresses_.note_failure(addresses, connection.address_, now)) return;
  const End why = late ? End{.reason = Reason::kConnectTimeout} : connection.failure().end();
  log_.warning("address upstream={} address={} state=avoided cause={}", server.text(),
               connection.address().text(), Quoted(cause_of(why)));
}

void Upstreams::note_borrowed(UpstreamServer& server) {
  server.state_->begin();
  ++borrowed_;
  descriptors_.note_idle(shard_, open_ - borrowed_);
}

void Upstreams::note_returned(UpstreamServer& server) {
  server.state_->end();
  --borrowed_;
  descriptors_.note_idle(shard_, open_ - borrowed_);
}

void Upstreams::give_up_idle(std::size_t count) {
  servers_.find([&](UpstreamServer& server) {
    for (; count > 0 && !server.kept_.empty(); --count) {
      close_kept(server.kept_.first(), Farewell::kNone);
    }
    return count == 0;
  });
  for (; count > 0 && !closing_slowly_.empty(); --count) closing_slowly_.pop().link_.abort();
}

void Upstreams::give_up_drained() {
  servers_.find([this](UpstreamServer& server) {
    if (server.state_->draining()) give_up_kept(server, Farewell::kPolite);
    return false;
  });
}

void Upstreams::give_up_kept(UpstreamServer& server, Farewell farewell) {
  while (!server.kept_.empty()) close_kept(server.kept_.last(), farewell);
}

void Upstreams::close_kept(UpstreamConnection& connection, Farewell farewell) {
  forget_kept(connection);
  begin_close(connection, farewell);
}

// For the next handshake with the same server.
void Upstreams::note_ticket(UpstreamConnection& connection) {
  const tls::Session* session = connection.link_.session();
  if (session == nullptr) return;
  if (tls::Ticket ticket = session->ticket()) connection.server_->ticket_ = std::move(ticket);
}

void Upstreams::begin_close(UpstreamConnection& connection, Farewell farewell) {
  note_ticket(connection);
  connection.pool_ = {};
  connection.timer_.disarm();
  if (farewell != Farewell::kNone) closing_slowly_.push(connection);
  connection.closing_ = connection.close_story(farewell);
  connection.closing_.start();
}

void Upstreams::forget_kept(UpstreamConnection& connection) {
  connection.unlist();
  --connection.server_->kept_count_;
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
  servers_.find([&](UpstreamServer& server) {
    give_up_kept(server, Farewell::kNone);
    return false;
  });
  while (open_ > 0) {
    all_gone_.clear();
    co_await all_gone_.wait();
  }
}

void Upstreams::cut() {
  while (!closing_slowly_.empty()) closing_slowly_.pop().link_.abort();
}

}  // namespace gateway
