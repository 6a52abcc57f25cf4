#include "gateway/shard/shard.hh"

#include <cstring>
#include <iterator>
#include <utility>

#include "gateway/exchange/exchange.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

constexpr std::size_t kPlaintextBytes = 64 * 1024;
// Of kept connections to servers, when a client waits for a descriptor.
constexpr std::size_t kGivenUpAtOnce = 64;

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
      throttle_(setup_.log, loop_.timers()),
      plaintext_(kPlaintextBytes),
      patience_(*this, loop_.timers()),
      handshakes_(*this, loop_.timers()),
      handshakes_over_(loop_.ready()),
      all_gone_(loop_.ready()) {
  for (const ListeningSocket& socket : setup_.listening) {
    listeners_.emplace_back(loop_, bell_, static_cast<Reception&>(*this), listeners_.size(),
                            socket);
  }
}

Shard::~Shard() = default;

void Shard::run(std::atomic<unsigned>& ready) {
  begin();
  ready.fetch_add(1);
  ready.notify_all();
  loop_.run();
  finish();
}

void Shard::begin() {
  kernel_.enable();
  links_.emplace(uring::LinkResources{loop_, *buffers_, batches_, plaintext_});
  upstreams_.emplace(*links_, record_buffers_, setup_.registry, counters_, setup_.descriptors,
                     setup_.index, log());
  begin_to_load(std::move(setup_.generation));
  while (load_step()) {
  }
  bell_.start();
  for (ShardListener& listener : listeners_) listener.start();
}

void Shard::finish() {
  generation_ = {};
  throttle_.tell_all();
  const uring::LoopCounters& counters = loop_.counters();
  log().info("stopped connections={} turns={} enters={} completions={}", accepted_, counters.turns,
             kernel_.enters(), counters.completions);
}

void Shard::rung() {
  for (ShardListener& listener : listeners_) listener.take_handed_over();
  const std::span<Order> came = orders_.take();
  // Moved out: the stop may close the mailbox before this returns.
  const std::vector<Order> orders(std::move_iterator(came.begin()), std::move_iterator(came.end()));
  for (const Order& order : orders) {
    std::visit([this](const auto& what) { carry_out(what); }, order);
  }
}

void Shard::carry_out(const StopOrder&) {
  retirement_ = retire();
  retirement_.start();
}

void Shard::carry_out(const CutOrder&) {
  cut_all();
}

void Shard::carry_out(const AdoptOrder& order) {
  if (retiring_) return;
  begin_to_load(order.generation);
  loop_.push_next_turn(load_next_);
}

void Shard::begin_to_load(config::SharedGeneration generation) {
  CHECK(!loading_, "one generation is loaded at a time");
  CHECK(generation->config.listeners.size() == listeners_.size(), "the listeners are the same");
  for (std::size_t index = 0; generation_ && index < listeners_.size(); ++index) {
    CHECK(generation->config.listeners[index].address == config().listeners[index].address,
          "the listeners are in the same order");
  }
  loading_ = uring::Held<ShardGeneration>::make(std::move(generation), generation_);
}

// Whether there is more to load.
bool Shard::load_step() {
  const bool more = loading_->load_next({setup_.tickets, record_buffers_, *upstreams_, counters_});
  if (more) return true;
  generation_ = std::exchange(loading_, {});
  counters_.forget_unheld();
  return false;
}

void Shard::load_next() {
  if (load_step()) return loop_.push_next_turn(load_next_);
  report(Report::kAdopted);
}

uring::Task<> Shard::retire() {
  retiring_ = true;
  load_next_.take_back();
  loading_ = {};
  patience_.arm(loop_.now() + kStopTime);
  // A connection that ends takes itself out of the table, but never before the next turn.
  connections_.for_each([](Connection& connection) { connection.stop(); });
  // The listening sockets let nobody new in any more; who is on the way in is served.
  handshakes_.arm(loop_.now() + kHandshakeTime);
  co_await handshakes_over_.wait();
  for (ShardListener& listener : listeners_) co_await listener.stop();
  // Nobody looks at the listening sockets from here on.
  report(Report::kDrained);
  while (!connections_.empty()) {
    all_gone_.clear();
    co_await all_gone_.wait();
  }
  co_await upstreams_->close_all();
  patience_.disarm();
  // Nothing is left that it could be ordered to do.
  (void)orders_.close();
  co_await bell_.stop();
  report(Report::kEnded);
  loop_.stop();
}

void Shard::report(Report report) {
  const bool told = setup_.reports.post(report);
  CHECK(told, "the main thread has room for each report");
}

void Shard::cut_all() {
  cut_ = true;
  handshakes_.disarm();
  handshakes_over_.set();
  connections_.for_each([](Connection& connection) { connection.cut(); });
  upstreams_->cut();
}

void Shard::forget(Connection& connection) {
  connections_.forget(connection);
  setup_.descriptors.note_clients(setup_.index, connections_.count());
  for (ShardListener& listener : listeners_) listener.resume();
  if (connections_.empty()) all_gone_.set();
}

void Shard::admit(std::size_t listener, int descriptor) {
  const std::uint64_t id = accepted_++ * setup_.count + setup_.index + 1;
  Connection& connection = connections_.add(
      frames().make<Connection>(*this, descriptor, Entrance{generation_, listener}, id));
  setup_.descriptors.note_clients(setup_.index, connections_.count());
  connection.start();
  if (retiring_) connection.stop();
  if (cut_) connection.cut();
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

void Shard::accept_failed(int error) {
  if (!may_log(LogLevel::error, "accepting fails")) return;
  log().error(
      "accepting pauses: {}; raise the limit of open files with 'ulimit -n' or LimitNOFILE=",
      strerrordesc_np(error));
}

}  // namespace gateway
