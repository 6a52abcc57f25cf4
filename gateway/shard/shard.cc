#include "gateway/shard/shard.hh"

#include <cstring>

#include "gateway/exchange/exchange.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

constexpr std::size_t kPlaintextBytes = 64 * 1024;
// Of kept connections to servers, when a client waits for a descriptor.
constexpr std::size_t kGivenUpAtOnce = 64;
constexpr std::size_t kOrders = 2;  // as many as there are

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
      orders_(bell_, kOrders),
      throttle_(setup_.log, loop_.timers()),
      plaintext_(kPlaintextBytes),
      patience_(*this, loop_.timers()),
      handshakes_(*this, loop_.timers()),
      handshakes_over_(loop_.ready()),
      all_gone_(loop_.ready()) {
  for (const ListeningSocket& socket : setup_.listening) ports_.emplace_back(*this, socket);
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
  upstreams_.emplace(*links_, config(), setup_.counts, setup_.descriptors, setup_.index, log());
  const auto loaded = upstreams_->load_tls(record_buffers_);
  CHECK(loaded.has_value(), "what was checked at start can be loaded");
  bell_.start();
  for (Port& port : ports_) {
    port.load_certificates();
    port.start();
  }
}

void Shard::finish() {
  throttle_.tell_all();
  const uring::LoopCounters& counters = loop_.counters();
  log().info("stopped connections={} turns={} enters={} completions={}", accepted_, counters.turns,
             kernel_.enters(), counters.completions);
}

void Shard::rung() {
  for (Port& port : ports_) port.take_handed_over();
  const std::span<const Order> came = orders_.take();
  // A copy: the stop may close the mailbox before this returns.
  const std::vector<Order> orders(came.begin(), came.end());
  for (const Order order : orders) {
    if (order == Order::kCut) {
      cut_all();
    } else {
      retirement_ = retire();
      retirement_.start();
    }
  }
}

uring::Task<> Shard::retire() {
  retiring_ = true;
  patience_.arm(loop_.now() + kStopTime);
  // A connection that ends takes itself out of the table, but never before the next turn.
  connections_.for_each([](Connection& connection) { connection.stop(); });
  // The listening sockets let nobody new in any more; who is on the way in is served.
  handshakes_.arm(loop_.now() + kHandshakeTime);
  co_await handshakes_over_.wait();
  for (Port& port : ports_) co_await port.stop();
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
  for (Port& port : ports_) port.resume();
  if (connections_.empty()) all_gone_.set();
}

Shard::Port::Port(Shard& shard, const ListeningSocket& socket)
    : shard_(shard),
      socket_(socket),
      listener_(shard.loop(), socket.descriptor, *this),
      handed_over_(shard.bell_, socket.listener->address.is_unix() ? kHandedOverMax : 0) {}

void Shard::Port::load_certificates() {
  const auto& tls = socket_.listener->tls;
  if (!tls) return;
  auto contexts =
      tls::ServerContexts::load(tls->pems, shard_.setup_.tickets, &shard_.record_buffers_);
  CHECK(contexts.has_value(), "certificates that were checked at start can be loaded");
  contexts_ = std::move(*contexts);
}

void Shard::Port::start() {
  if (socket_.descriptor >= 0) listener_.start();
}

uring::Task<> Shard::Port::stop() {
  if (socket_.descriptor >= 0) co_await listener_.stop();
  for (const int descriptor : handed_over_.close()) serve(descriptor);
}

void Shard::Port::accepted(int descriptor) {
  const std::size_t turn = takers_.empty() ? 0 : next_taker_++ % takers_.size();
  const bool taken = turn != 0 && takers_[turn]->post(descriptor);
  if (!taken) serve(descriptor);
}

void Shard::Port::take_handed_over() {
  for (const int descriptor : handed_over_.take()) serve(descriptor);
}

void Shard::Port::serve(int descriptor) {
  const std::uint64_t id = shard_.accepted_++ * shard_.setup_.count + shard_.setup_.index + 1;
  Connection& connection = shard_.connections_.add(shard_.frames().make<Connection>(
      shard_, descriptor, Entrance{*socket_.listener, contexts_.get()}, id));
  shard_.setup_.descriptors.note_clients(shard_.setup_.index, shard_.connections_.count());
  connection.start();
  if (shard_.retiring_) connection.stop();
  if (shard_.cut_) connection.cut();
}

// Accepts only whom it can serve: a client needs a descriptor, and one more towards its server.
uring::Acceptor::Appetite Shard::Port::appetite() {
  const DescriptorBudget& descriptors = shard_.setup_.descriptors;
  const std::size_t more = descriptors.clients_more();
  if (more >= descriptors.burst()) return Appetite::kMany;
  if (more > 0) return Appetite::kOne;
  shard_.upstreams_->give_up_idle(kGivenUpAtOnce);
  if (shard_.may_log(LogLevel::warning, "accepting pauses")) {
    shard_.log().warning(
        "accepting pauses: all {} clients are in for whom there are descriptors, two for each; "
        "raise "
        "the limit of open files with 'ulimit -n' or LimitNOFILE=",
        descriptors.clients_max());
  }
  return Appetite::kNone;
}

void Shard::Port::accept_failed(int error) {
  if (!shard_.may_log(LogLevel::error, "accepting fails")) return;
  shard_.log().error(
      "accepting pauses: {}; raise the limit of open files with 'ulimit -n' or LimitNOFILE=",
      strerrordesc_np(error));
}

}  // namespace gateway
