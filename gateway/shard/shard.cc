#include "gateway/shard/shard.hh"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "gateway/exchange/exchange.hh"
#include "gateway/log/line.hh"
#include "gateway/websocket/tunnel.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

// Four full records, each with its type behind it (tls::Session::kOpenRoom).
constexpr std::size_t kPlaintextBytes = 64 * 1024 + 64;
// Of kept connections to servers, when a client waits for a descriptor.
constexpr std::size_t kGivenUpAtOnce = 64;
// Among the closings, where all others are named as a pool or a server.
constexpr std::string_view kOrphans = "[reload] orphans";

}  // namespace

std::expected<std::unique_ptr<Shard>, std::string> Shard::create(Setup setup,
                                                                 uring::Kernel& kernel) {
  std::unique_ptr<Shard> shard(new Shard(std::move(setup), kernel));
  const int error = shard->bell_.open();
  if (error != 0) return std::unexpected(uring::explain_ring_error(error));
  auto buffers =
      uring::ReceiveBuffers::create(kernel, shard->loop_.ready(), shard->setup_.receive_buffers);
  if (!buffers) return std::unexpected(buffers.error());
  shard->buffers_ = std::move(*buffers);
  shard->loop_.set_receive_buffers(*shard->buffers_);
  return shard;
}

Shard::Shard(Setup setup, uring::Kernel& kernel)
    : setup_(std::move(setup)),
      kernel_(kernel),
      loop_(kernel),
      bell_(loop_, *this),
      orders_(bell_, kOrdersMax),
      passwords_(loop_, bell_, setup_.passwords),
      throttle_(setup_.log, loop_.timers()),
      admission_(setup_.limits, setup_.memory),
      plaintext_(kPlaintextBytes),
      leaving_(loop_),
      adopted_(loop_.ready()),
      all_left_(loop_.ready()),
      all_gone_(loop_.ready()) {
  loop_.frames().count_in(memory_);
  memory_.add(fixed_bytes(), uring::MemoryKind::kReceive);
}

Shard::~Shard() {
  memory_.remove(fixed_bytes(), uring::MemoryKind::kReceive);
}

// What it receives with.
std::size_t Shard::fixed_bytes() const {
  const uring::ReceiveBufferOptions& buffers = setup_.receive_buffers;
  return kPlaintextBytes + buffers.small_count * buffers.small_bytes +
         buffers.bulk_count * buffers.bulk_bytes;
}

void Shard::run(std::atomic<unsigned>& ready) {
  begin();
  ready.fetch_add(1);
  ready.notify_all();
  loop_.run();
  finish();
}

void Shard::begin() {
  kernel_.enable();
  links_.emplace(uring::LinkResources{.loop = loop_,
                                      .buffers = *buffers_,
                                      .pool = batches_,
                                      .plaintext = plaintext_,
                                      .counts = {&link_counts_[0], &link_counts_[1]}});
  upstreams_.emplace(*links_, record_buffers_, setup_.registry, counters_, setup_.descriptors,
                     setup_.index, log());
  upstreams_->set_bell(bell_);
  checks_.emplace(*links_, *upstreams_, setup_.index, setup_.count, log());
  bell_.start();
  begin_to_load(std::exchange(first_, {}));
  while (load_step()) {
  }
  codecs_.emplace(config().limits.compression_bytes,
                  memory_counter(uring::MemoryKind::kCompression));
}

void Shard::finish() {
  generation_ = {};
  throttle_.tell_all();
  const uring::LoopCounters& counters = loop_.counters();
  LogLine(log(), LogLevel::info, "stopped")
      .number("connections", accepted_)
      .number("turns", counters.turns.value())
      .number("enters", kernel_.enters())
      .number("completions", counters.completions.value())
      .write();
}

void Shard::rung() {
  for (ShardListener& listener : listeners_) listener.take_handed_over();
  leaving_.take_handed_over();
  upstreams_->serve_lines();
  passwords_.take_answers();
  const std::span<Order> came = orders_.take();
  // Moved out: the stop may close the mailbox before this returns.
  const std::vector<Order> orders(std::move_iterator(came.begin()), std::move_iterator(came.end()));
  for (const Order& order : orders) {
    std::visit([this](const auto& what) { carry_out(what); }, order);
  }
}

void Shard::carry_out(const AnnounceOrder&) {
  to_stop_ = true;
}

void Shard::carry_out(const StopOrder& order) {
  retiring_ = true;
  handed_over_ = order.handed_over;
  to_stop_ = handed_over_.empty();
  // Its listeners may have let clients in already.
  if (loading_) load_at_once();
  // A connection that ends takes itself out of the table, but never before the next turn.
  connections_.for_each([](Connection& connection) { connection.stop(); });
  rebalancing_.stop();
  closings_.begin_all(order.websockets);
  retirement_ = retire();
  retirement_.start();
}

void Shard::carry_out(const CutOrder&) {
  cut_all();
}

void Shard::carry_out(const AnswerOrder& order) {
  ++*order.answers;
}

void Shard::carry_out(const AdoptOrder& order) {
  if (retiring_) return;
  begin_to_load(order);
  adopting_ = true;
  loop_.push_next_turn(load_next_);
}

void Shard::carry_out(const ServersOrder& order) {
  if (retiring_) return;
  // What it loads was ordered before.
  if (loading_) load_at_once();
  generation_->replace_servers(*upstreams_, order.servers);
  counters_.forget_unheld();
  checks_->adopt(generation_->pools());
  orphans_plan_ = order.orphans;
  if (!orphans_plan_) closings_.end(kOrphans);
  orphans_.look_at(*generation_);
  report({.kind = Report::Kind::kServersTaken, .closing = close_orphans()});
}

void Shard::carry_out(const DrainOrder& order) {
  upstreams_->give_up_drained();
  // What a later generation has forgotten is not kept for this.
  const std::vector<std::weak_ptr<ServerState>> servers(order.servers.begin(), order.servers.end());
  // Those that are drained stay where they are until they are drained no more.
  std::unordered_set<const ServerState*> its;
  for (const auto& server : order.servers) its.insert(server.get());
  const auto takes = [its = std::move(its)](const Tunnel& tunnel) {
    const ServerState& state = tunnel.server().state();
    return state.draining() && its.contains(&state);
  };
  const auto stands = [servers] {
    return std::ranges::any_of(servers, [](const auto& server) {
      const auto state = server.lock();
      return state != nullptr && state->draining();
    });
  };
  const std::size_t closing = closings_.begin(order.name, order.websockets, takes, stands);
  report({.kind = Report::Kind::kCarriedOut, .closing = closing});
}

void Shard::carry_out(const ReviewOrder&) {
  closings_.let_go();
  report(Report::Kind::kCarriedOut);
}

void Shard::begin_to_load(const AdoptOrder& order) {
  CHECK(!adopting_, "one generation is adopted at a time");
  loading_ = uring::Held<ShardGeneration>::make(order.generation, order.servers, generation_);
  orphans_plan_ = order.orphans;
  for (const ListeningSocket& socket : order.added) {
    coming_.emplace_back(loop_, static_cast<Reception&>(*this), socket);
  }
}

// Whether there is more to load.
bool Shard::load_step() {
  const bool more = loading_->load_next(
      {setup_.tickets, record_buffers_, *upstreams_, counters_, setup_.limits.places()});
  if (more) return true;
  generation_ = std::exchange(loading_, {});
  record_buffers_.log_keys_to(key_log_.follow(config().log));
  const std::size_t most = config().client_limits.memory_bytes_max;
  setup_.memory.set_most(most != 0 ? most : setup_.memory_usual_bytes);
  links_->handshakes_waiting_max = config().client_limits.handshakes_waiting;
  // What the one before did with its orphans is not for those that this one makes.
  if (!orphans_plan_) closings_.end(kOrphans);
  orphans_.look_at(*generation_);
  rebalancing_.look_at(*generation_);
  checks_->adopt(generation_->pools());
  counters_.forget_unheld();
  take_listeners();
  return false;
}

void Shard::load_next() {
  if (load_step()) loop_.push_next_turn(load_next_);
}

void Shard::load_at_once() {
  load_next_.take_back();
  while (load_step()) {
  }
}

// Those of the newest generation; the others leave.
void Shard::take_listeners() {
  const std::size_t had = listeners_.size();
  listeners_.splice(listeners_.end(), coming_);
  const auto come = std::next(listeners_.begin(), static_cast<std::ptrdiff_t>(had));
  std::list<ShardListener> gone;
  const auto& listeners = config().listeners;
  for (auto listener = listeners_.begin(); listener != listeners_.end();) {
    const auto one = listener++;
    const auto now = std::ranges::find(listeners, one->address(), &config::Listener::address);
    if (now == listeners.end()) {
      gone.splice(gone.end(), listeners_, one);
    } else {
      one->lead_to({generation_, static_cast<std::uint32_t>(now - listeners.begin())});
    }
  }
  std::for_each(come, listeners_.end(), [](ShardListener& listener) { listener.start(); });
  if (gone.empty()) return finish_adopting();
  leaving_.begin(std::move(gone), [this] { finish_adopting(); });
}

void Shard::finish_adopting() {
  if (!std::exchange(adopting_, false)) return;  // the first one
  report({.kind = Report::Kind::kAdopted, .closing = close_orphans()});
  adopted_.set();
}

// Those that the newest generation has left without a route or a server; it may have given others
// theirs back. Gives how many are closed from now on, beside those who keep their turns.
std::size_t Shard::close_orphans() {
  if (!orphans_plan_) return 0;
  return closings_.renew(kOrphans, *orphans_plan_,
                         [this](const Tunnel& tunnel) { return orphans_.contain(tunnel); });
}

uring::Task<> Shard::retire() {
  // The listening sockets let nobody new in any more; who is on the way in is served.
  while (adopting_) {
    adopted_.clear();
    co_await adopted_.wait();
  }
  leaving_.begin(
      std::exchange(listeners_, {}), [this] { all_left_.set(); }, handed_over_);
  if (cut_) leaving_.hurry();
  co_await all_left_.wait();
  // Nobody looks at the listening sockets from here on.
  report(Report::Kind::kDrained);
  while (!connections_.empty()) {
    all_gone_.clear();
    co_await all_gone_.wait();
  }
  co_await checks_->stop();
  co_await upstreams_->close_all();
  passwords_.close();
  live_scan_.finish();
  // Nothing is left that it could be ordered to do, but to answer.
  for (const Order& order : orders_.close()) {
    if (const auto* const question = std::get_if<AnswerOrder>(&order)) carry_out(*question);
    if (const auto* const look = std::get_if<LookOrder>(&order)) carry_out(*look);
  }
  co_await bell_.stop();
  report({.kind = Report::Kind::kEnded, .stopped = stopped_});
  loop_.stop();
}

void Shard::report(Report report) {
  report.under_way = under_way_.now();
  const bool told = setup_.reports.post(report);
  CHECK(told, "the main thread has room for each report");
}

void Shard::cut_all() {
  cut_ = true;
  leaving_.hurry();
  connections_.for_each([this](Connection& connection) { cut(connection); });
  upstreams_->cut();
}

void Shard::cut(Connection& connection) {
  // The close reason is the WebSockets' own.
  const End end =
      connection.has_tunnel() ? closings_.end_of_all() : End{.reason = Reason::kStopping};
  note_cut(connection, connection.cut(end));
}

void Shard::note_cut(Connection& connection, Connection::Loss loss) {
  if (!retiring_ || loss == Connection::Loss::kNothing) return;
  // What was told to have ended in order has not, after all.
  if (connection.is_tallied()) --tally_of(connection);
  ++stopped_.cut;
}

// Where the end of its request or WebSocket counts.
std::uint64_t& Shard::tally_of(const Connection& connection) {
  if (!connection.has_tunnel()) return stopped_.requests;
  const bool by_us = policy_of(connection.how_ended().reason).party == Party::kGateway;
  if (!by_us) return stopped_.websockets_by_peers;
  return connection.tunnel()->was_cut_short() ? stopped_.cut : stopped_.websockets_by_us;
}

void Shard::note_ended(Connection& connection) {
  if (!retiring_ || connection.is_cut()) return;
  ++tally_of(connection);
  connection.note_tallied();
}

void Shard::forget(Connection& connection) {
  if (connection.refused() != nullptr) admission_.note_told_gone();
  connection.traffic_of_listener().open.take();
  connections_.forget(connection);
  under_way_.connections.fall();
  setup_.balance.note_gone(setup_.index);
  setup_.descriptors.note_clients(setup_.index, connections_.count());
  for (ShardListener& listener : listeners_) listener.resume();
  if (connections_.empty()) all_gone_.set();
}

void Shard::admit(const Entrance& entrance, int descriptor) {
  Admission::Answer answer = judge(entrance, descriptor);
  const auto told = answer.refused ? admission_.end_for(answer, entrance) : std::optional<End>();
  if (answer.refused && !told) {
    kernel_.reset_on_close(descriptor);
    kernel_.close(descriptor);
    setup_.balance.note_gone(setup_.index);
    return;
  }
  const std::uint64_t id = accepted_++ * setup_.count + setup_.index + 1;
  Connection& connection =
      connections_.add(frames().make<Connection>(*this, descriptor, entrance, id));
  under_way_.connections.rise();
  connection.traffic_of_listener().accepted.add();
  connection.traffic_of_listener().open.add();
  setup_.descriptors.note_clients(setup_.index, connections_.count());
  if (told) {
    connection.refuse(*told);
  } else {
    connection.hold(std::move(answer.holds));
  }
  connection.start();
  if (retiring_) connection.stop();
  if (cut_) cut(connection);
}

// Accepts only whom it can serve: a client needs a descriptor, and one more towards its server.
Reception::Appetite Shard::appetite() {
  const DescriptorBudget& descriptors = setup_.descriptors;
  const std::size_t more = descriptors.clients_more();
  if (more >= descriptors.burst()) return Appetite::kMany;
  if (more > 0) return Appetite::kOne;
  upstreams_->give_up_idle(kGivenUpAtOnce);
  if (may_log(LogLevel::warning, "accepting pauses")) {
    log().warning(
        "accepting pauses: all {} clients are in for whom there are descriptors, two for each; "
        "raise the limit of open files with 'ulimit -n' or LimitNOFILE=",
        descriptors.clients_max());
  }
  return Appetite::kNone;
}

bool Shard::may_hand_over() const {
  return setup_.descriptors.clients_more() >= setup_.descriptors.burst();
}

void Shard::accept_failed(int error) {
  if (!may_log(LogLevel::error, "accepting fails")) return;
  log().error(
      "accepting pauses: {}; raise the limit of open files with 'ulimit -n' or LimitNOFILE=",
      strerrordesc_np(error));
}

}  // namespace gateway
