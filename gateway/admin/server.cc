#include "gateway/admin/server.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/admin/connection.hh"
#include "uring/check.hh"

namespace gateway::admin {
namespace {

constexpr std::size_t kPlaintextBytes = 64 * 1024;
constexpr std::size_t kBatchBudget = 4 * 1024 * 1024;

}  // namespace

std::expected<std::unique_ptr<Server>, std::string> Server::create(Parts parts) {
  std::unique_ptr<Server> server(new Server(std::move(parts)));
  uring::Loop& loop = server->parts_.loop;
  auto buffers = uring::ReceiveBuffers::create(loop.kernel(), loop.ready(), kReceiveBuffers);
  if (!buffers) return std::unexpected(buffers.error());
  server->buffers_ = std::move(*buffers);
  loop.set_receive_buffers(*server->buffers_);
  server->links_.emplace(
      uring::LinkResources{loop, *server->buffers_, server->batches_, server->plaintext_});
  server->go_by_settings();
  return server;
}

Server::Server(Parts parts)
    : parts_(std::move(parts)),
      throttle_(parts_.log, parts_.loop.timers()),
      batches_(kBatchBudget, &parts_.memory),
      plaintext_(kPlaintextBytes),
      record_buffers_(&parts_.memory.counter(uring::MemoryKind::kTls)),
      all_gone_(parts_.loop.ready()) {}

Server::~Server() = default;

void Server::go_by_settings() {
  const auto& tls = parts_.service.settings().tls;
  if (!tls) return contexts_.reset();
  auto made = tls::ServerContexts::load(tls->pems, parts_.tickets, &record_buffers_,
                                        tls->clients ? &tls->clients->check : nullptr);
  CHECK(made.has_value(), "certificates that were checked at the load can be used");
  contexts_ = std::move(*made);
}

void Server::start(int descriptor) {
  accepts_ = true;
  listener_.emplace(parts_.loop, descriptor, static_cast<uring::Acceptor&>(*this));
  listener_->start();
}

uring::Task<> Server::stop_accepting(bool leaves_queue) {
  if (!std::exchange(accepts_, false)) co_return;
  if (leaves_queue) {
    co_await listener_->leave_queue();
  } else {
    co_await listener_->stop();
  }
}

uring::Task<> Server::stop() {
  for (const auto& connection : connections_) connection->cut();
  while (!connections_.empty()) {
    all_gone_.clear();
    co_await all_gone_.wait();
  }
}

void Server::accepted(int descriptor) {
  connections_.push_back(std::make_unique<Connection>(*this, descriptor, contexts_));
  connections_.back()->start();
}

void Server::accept_failed(int error) {
  if (!throttle_.admit(LogLevel::error, "admin: accepting fails", parts_.loop.now())) return;
  parts_.log.error("admin: accepting pauses: {}", strerrordesc_np(error));
}

Server::Appetite Server::appetite() {
  if (connections_.size() < kClientsMax) return Appetite::kOne;
  // Who asks nothing keeps nobody out.
  const auto silent = std::ranges::find_if(
      connections_, [](const auto& connection) { return connection->is_waiting(); });
  if (silent != connections_.end()) (*silent)->cut();
  return Appetite::kNone;
}

void Server::forget(Connection& connection) {
  std::erase_if(connections_, [&](const auto& one) { return one.get() == &connection; });
  if (connections_.empty()) all_gone_.set();
  if (accepts_) listener_->resume();
}

}  // namespace gateway::admin
