#include "gateway/admin/server.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/admin/connection.hh"
#include "gateway/client/peer.hh"
#include "gateway/log/line.hh"
#include "uring/check.hh"

namespace gateway::admin {
Server::Server(Parts parts)
    : parts_(std::move(parts)), throttle_(parts_.log, loop().timers()), all_gone_(loop().ready()) {
  go_by_settings();
}

Server::~Server() = default;

void Server::go_by_settings() {
  for (const auto& connection : connections_) connection->judge_again();
  const auto& tls = parts_.service.settings().tls;
  if (!tls) return contexts_.reset();
  auto made = tls::ServerContexts::load(tls->pems, parts_.tickets, &parts_.records,
                                        tls->clients ? &tls->clients->check : nullptr);
  CHECK(made.has_value(), "certificates that were checked at the load can be used");
  contexts_ = std::move(*made);
}

void Server::start(int descriptor) {
  accepts_ = true;
  listener_.emplace(loop(), descriptor, static_cast<uring::Acceptor&>(*this));
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
  if (!throttle_.admit(LogLevel::error, "admin: accepting fails", loop().now())) return;
  parts_.log.error("admin: accepting pauses: {}", strerrordesc_np(error));
}

void Server::note_wrong_token(int descriptor, std::string_view method, std::string_view path) {
  constexpr std::string_view kCause = "a wrong token";
  parts_.service.note_wrong_token();
  if (!throttle_.admit(LogLevel::warning, kCause, loop().now())) return;
  Peer peer;
  peer.learn(loop().kernel(), descriptor);
  LogLine(parts_.log, LogLevel::warning, "admin refused")
      .word("client", peer.host())
      .number("port", peer.port())
      .quoted("method", method)
      .quoted("path", path)
      .remark(kCause)
      .write();
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
