#include "gateway/upstream/upstreams.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>
#include <unordered_map>

#include "gateway/log/line.hh"
#include "gateway/upstream/client_context.hh"

namespace gateway {
namespace {

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

// Shards are to choose apart; nothing hangs on its being unpredictable.
std::uint64_t seed_from(uring::Kernel& kernel) {
  std::array<std::byte, sizeof(std::uint64_t)> seed;
  kernel.fill_random(seed);
  return std::bit_cast<std::uint64_t>(seed);
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
      dice_(seed_from(links.loop.kernel())),
      log_(log),
      all_gone_(links.loop.ready()) {}

std::expected<uring::Held<UpstreamPool>, std::string> Upstreams::make_pool(
    const config::SharedGeneration& generation, std::size_t index, config::ServerList list,
    const UpstreamPool* previous) {
  const config::Pool& pool = generation->config.pools[index];
  std::shared_ptr<tls::ClientContext> tls;
  if (pool.tls) {
    auto loaded = load_client_context(pool, &buffers_);
    if (!loaded) return std::unexpected(loaded.error());
    tls = std::move(*loaded);
  }
  if (list == nullptr) list = config::ServerList(generation, &pool.servers);
  auto servers = servers_of(pool, *list, previous);
  auto made =
      uring::Held<UpstreamPool>::make(*this, generation, pool, std::move(list), std::move(servers),
                                      std::move(tls), line_of(pool, previous));
  for (std::size_t moved = 0; previous == nullptr && moved < shard_; ++moved) made->move_turn();
  if (previous == nullptr) made->line().set_newest(*made);
  return made;
}

uring::Held<UpstreamPool> Upstreams::replace_servers(const UpstreamPool& pool,
                                                     config::ServerList list) {
  auto servers = servers_of(pool.pool_, *list, &pool);
  auto made = uring::Held<UpstreamPool>::make(*this, pool.generation_, pool.pool_, std::move(list),
                                              std::move(servers), pool.tls_, pool.line_);
  succeed(pool, *made);
  return made;
}

uring::Held<PoolLine> Upstreams::line_of(const config::Pool& pool, const UpstreamPool* previous) {
  if (previous != nullptr) return previous->line_;
  std::shared_ptr<PoolState> state = registry_.pool(pool.name);
  // A pool that a generation between has not had: there may be somebody who waits still.
  PoolLine* known = nullptr;
  lines_.find([&](PoolLine& line) {
    if (line.shared_state() == state) known = &line;
    return known != nullptr;
  });
  if (known != nullptr) return uring::Held<PoolLine>(*known);
  auto made = uring::Held<PoolLine>::make(links_.loop, std::move(state), shard_, bell_);
  lines_.push(*made);
  return made;
}

void Upstreams::serve_lines() {
  lines_.find([](PoolLine& line) {
    line.serve();
    return false;
  });
}

std::vector<uring::Held<UpstreamServer>> Upstreams::servers_of(
    const config::Pool& pool, const std::vector<config::Server>& list,
    const UpstreamPool* previous) {
  std::unordered_map<std::string_view, UpstreamServer*> earlier;
  for (std::size_t index = 0; previous != nullptr && index < previous->size(); ++index) {
    earlier.emplace(previous->server(index).text(), &previous->server(index));
  }
  // What is kept was opened with that trust.
  const bool is_same_way = previous != nullptr && is_same_trust(previous->config().tls, pool.tls);
  std::vector<uring::Held<UpstreamServer>> servers;
  servers.reserve(list.size());
  for (const config::Server& server : list) {
    const auto known = earlier.find(server.text);
    const bool had_it = known != earlier.end();
    servers.push_back(had_it && is_same_way ? uring::Held<UpstreamServer>(*known->second)
                                            : make_server(pool, server));
    if (previous == nullptr || had_it) continue;
    ServerState& state = servers.back()->state();
    state.arrival.note();
    // What a rebalancing wanted of it when it was there before is over.
    state.to_ask.store(0, std::memory_order_relaxed);
  }
  return servers;
}

uring::Held<UpstreamServer> Upstreams::make_server(const config::Pool& pool,
                                                   const config::Server& server) {
  auto made = uring::Held<UpstreamServer>::make(
      server.text, registry_.server(pool.name, server.text),
      counters_.servers.of(Counters::server_name(pool.name, server.text)));
  servers_.push(*made);
  return made;
}

void Upstreams::succeed(const UpstreamPool& previous, UpstreamPool& pool) {
  pool.line().set_newest(pool);
  std::unordered_map<const UpstreamServer*, std::size_t> earlier;
  for (std::size_t index = 0; index < previous.size(); ++index) {
    earlier.emplace(&previous.server(index), index);
  }
  for (std::size_t index = 0; index < pool.size(); ++index) {
    UpstreamServer& server = pool.server(index);
    const auto known = earlier.find(&server);
    if (known == earlier.end()) continue;
    server.addresses_.keep_only(pool.addresses_of(index));
    const bool goes_on =
        is_same_set(previous.addresses_of(known->second), pool.addresses_of(index)) &&
        previous.config().keep_alive == pool.config().keep_alive &&
        previous.config().proxy_header == pool.config().proxy_header &&
        previous.config().sources == pool.config().sources;
    if (goes_on) continue;
    pool.eras_[index] = ++server.era_;
    give_up_kept(server, Farewell::kPolite);
  }
}

UpstreamConnection* Upstreams::take_kept(UpstreamPool& pool, std::size_t index) {
  UpstreamConnection* quiet = nullptr;
  // The newest first: the others may be idle for long enough to be closed.
  const auto now = links_.loop.now();
  pool.server(index).kept_.find_from_last([&](UpstreamConnection& connection) {
    if (connection.link_.quiet() && now >= connection.waiting().usable_from) quiet = &connection;
    return quiet != nullptr;
  });
  if (quiet == nullptr) return nullptr;
  forget_kept(*quiet);
  quiet->taken();
  quiet->reused_ = true;
  quiet->pool_ = uring::Held<UpstreamPool>(pool);
  quiet->index_ = static_cast<std::uint32_t>(index);
  note_borrowed(*quiet->server_);
  quiet->server_->traffic().connections_reused.add();
  return quiet;
}

UpstreamConnection& Upstreams::open(UpstreamPool& pool, std::size_t index) {
  if (descriptors_.clients_more() == 0) give_up_idle(1);
  ++open_;
  note_borrowed(pool.server(index));
  pool.server(index).traffic().connections_opened.add();
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
  // With a PROXY header it is one client's.
  const bool is_nobody_elses = connection.pool_->config().proxy_header != proxy::Version::kNone;
  if (is_stale || is_nobody_elses || !server.state_->begin_keeping(limits.count)) {
    return close(connection, Farewell::kPolite);
  }
  if (!server.ticket_) note_ticket(connection);
  note_returned(server);
  connection.kept_ = true;
  UpstreamConnection::Waiting& waiting = connection.waiting();
  waiting.usable_from = reuse == Reuse::kLater ? now + kSettling : now;
  waiting.timer.arm(ends);
  server.kept_.push(connection);
  connection.link_.watch_input(waiting.noticed_or_closed, kInputBytes);
  connection.slot_ = {};
  // Last: if nobody else has that pool any more, nothing of it is kept.
  connection.pool_ = {};
}

void Upstreams::close(UpstreamConnection& connection, Farewell farewell) {
  note_returned(*connection.server_);
  connection.slot_ = {};
  UpstreamConnection::Waiting& waiting = connection.waiting();
  waiting.progress = nullptr;
  if (waiting.dialling.done()) return begin_close(connection, farewell);
  // It closes itself when what it waits for has ended.
  waiting.timer.disarm();
  connection.link_.abort();
}

void Upstreams::note_attempt(const UpstreamConnection& connection) {
  connection.server_->addresses_.note_attempt(connection.address(), links_.loop.now());
}

void Upstreams::note_stage(const UpstreamConnection& connection) {
  using Stage = UpstreamConnection::Stage;
  UpstreamServer& server = *connection.server_;
  if (connection.stage_ == Stage::kConnected) {
    counters_.upstreams.connect.observe(links_.loop.now() - connection.opened_);
    if (!server.addresses_.note_success(connection.address())) return;
    return LogLine(log_, LogLevel::info, "address")
        .word("upstream", server.text())
        .word("address", connection.address().text())
        .word("state", "fine")
        .write();
  }
  const bool late = connection.stage_ == Stage::kLate;
  const Reason failed = late ? Reason::kConnectTimeout : connection.failure().end().reason;
  server.traffic().connect_failures.add(static_cast<std::uint32_t>(failed));
  if (!late && connection.failure().is_shortage()) return;
  const auto addresses = connection.pool_->addresses_of(connection.index_);
  const auto now = links_.loop.now();
  if (!server.addresses_.note_failure(addresses, connection.address_, now)) return;
  const End why = late ? End{.reason = Reason::kConnectTimeout} : connection.failure().end();
  LogLine(log_, LogLevel::warning, "address")
      .word("upstream", server.text())
      .word("address", connection.address().text())
      .word("state", "avoided")
      .quoted("cause", cause_of(why))
      .write();
}

void Upstreams::note_probes(std::size_t count) {
  probes_ = count;
  note_idle();
}

void Upstreams::note_borrowed(UpstreamServer& server) {
  server.state_->begin();
  ++borrowed_;
  note_idle();
}

void Upstreams::note_returned(UpstreamServer& server) {
  server.state_->end();
  --borrowed_;
  note_idle();
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
  UpstreamConnection::Waiting& waiting = connection.waiting();
  waiting.timer.disarm();
  if (farewell != Farewell::kNone) closing_slowly_.push(connection);
  waiting.closing = connection.close_story(farewell);
  waiting.closing.start();
}

void Upstreams::forget_kept(UpstreamConnection& connection) {
  connection.unlist();
  connection.server_->state_->end_keeping();
  connection.kept_ = false;
  connection.link_.unwatch_input();
}

void Upstreams::forget(UpstreamConnection& connection) {
  connection.unlist();
  uring::BlockPool::Owned<UpstreamConnection>(&connection).reset();
  --open_;
  note_idle();
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
