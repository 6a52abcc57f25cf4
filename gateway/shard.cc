#include "gateway/shard.hh"

#include <cstring>

#include "gateway/exchange.hh"

namespace gateway {
namespace {

constexpr std::size_t kPlaintextBytes = 64 * 1024;
// Of kept connections to servers, when a client waits for a descriptor.
constexpr std::size_t kGivenUpAtOnce = 64;

}  // namespace

std::expected<std::unique_ptr<Shard>, std::string> Shard::create(Setup setup,
                                                                 uring::Kernel& kernel) {
  std::unique_ptr<Shard> shard(new Shard(std::move(setup), kernel));
  auto buffers = uring::ReceiveBuffers::create(kernel, shard->loop_.ready(),
                                               shard->setup_.receive_buffers);
  if (!buffers) return std::unexpected(buffers.error());
  shard->buffers_ = std::move(*buffers);
  shard->loop_.set_receive_buffers(*shard->buffers_);
  return shard;
}

Shard::Shard(Setup setup, uring::Kernel& kernel)
    : setup_(std::move(setup)),
      kernel_(kernel),
      loop_(kernel),
      throttle_(setup_.log, loop_.timers()),
      plaintext_(kPlaintextBytes),
      patience_(*this, loop_.timers()),
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

void Shard::on_message(uring::Completion completion) {
  const auto message = static_cast<Message>(completion.result);
  if (message == Message::kCut) {
    cut_all();
  } else if (retirement_.done()) {
    retirement_ = retire();
    retirement_.start();
  }
}

uring::Task<> Shard::retire() {
  retiring_ = true;
  for (Port& port : ports_) co_await port.stop();
  // A connection that ends takes itself out of the table, but never before the next turn.
  for (auto& [id, connection] : connections_) connection->stop();
  patience_.arm(loop_.now() + kStopTime);
  while (!connections_.empty()) {
    all_gone_.clear();
    co_await all_gone_.wait();
  }
  patience_.disarm();
  co_await upstreams_->close_all();
  loop_.send_message(setup_.control_descriptor, setup_.control, static_cast<int>(setup_.index));
  loop_.stop();
}

void Shard::cut_all() {
  for (auto& [id, connection] : connections_) connection->cut();
  upstreams_->cut();
}

void Shard::forget(Connection& connection) {
  connections_.erase(connection.id());
  setup_.descriptors.note_clients(setup_.index, connections_.size());
  for (Port& port : ports_) port.resume();
  if (connections_.empty()) all_gone_.set();
}

void Shard::Port::load_certificates() {
  if (socket_.certificates.empty()) return;
  auto contexts = tls::ServerContexts::load(socket_.certificates, shard_.setup_.tickets,
                                            &shard_.record_buffers_);
  CHECK(contexts.has_value(), "certificates that were checked at start can be loaded");
  contexts_ = std::move(*contexts);
}

void Shard::Port::start() {
  if (socket_.descriptor >= 0) listener_.start();
}

uring::Task<> Shard::Port::stop() {
  if (socket_.descriptor >= 0) co_await listener_.stop();
}

void Shard::Port::accepted(int descriptor) {
  const std::size_t turn = takers_.empty() ? 0 : next_taker_++ % takers_.size();
  if (turn == 0) return serve(descriptor);
  const Taker& taker = takers_[turn];
  shard_.loop().send_message(taker.ring_descriptor, *taker.operation, descriptor);
}

void Shard::Port::on_handed_over(uring::Completion completion) {
  if (shard_.retiring_) {
    shard_.loop().kernel().close(completion.result);
  } else {
    serve(completion.result);
  }
}

void Shard::Port::serve(int descriptor) {
  const std::uint64_t id = shard_.accepted_++ * shard_.setup_.count + shard_.setup_.index + 1;
  auto connection = std::make_unique<Connection>(shard_, descriptor,
                                                 Entrance{*socket_.listener, contexts_.get()}, id);
  connection->start();
  shard_.connections_.emplace(id, std::move(connection));
  shard_.setup_.descriptors.note_clients(shard_.setup_.index, shard_.connections_.size());
}

// Accepts only whom it can serve: a client needs a descriptor, and one more towards its server.
uring::Acceptor::Appetite Shard::Port::appetite() {
  const DescriptorBudget& descriptors = shard_.setup_.descriptors;
  const std::size_t more = descriptors.clients_more();
  if (more >= descriptors.burst()) return Appetite::kMany;
  if (more > 0) return Appetite::kOne;
  shard_.upstreams_->give_up_kept(kGivenUpAtOnce);
  if (shard_.may_log(LogLevel::warning, "accepting pauses")) {
    shard_.log().warning(
        "accepting pauses: all {} clients are in for whom there are descriptors, two for each; raise "
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
