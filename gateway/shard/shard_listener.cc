#include "gateway/shard/shard_listener.hh"

#include <utility>

namespace gateway {

ShardListener::ShardListener(uring::Loop& loop, Reception& reception, ListeningSocket socket)
    : reception_(reception),
      socket_(std::move(socket)),
      listener_(loop, socket_.descriptor, *this) {}

void ShardListener::start() {
  if (socket_.descriptor >= 0) listener_.start();
  take_handed_over();
}

uring::Task<> ShardListener::stop() {
  if (socket_.descriptor >= 0) co_await listener_.stop();
  take_last_handed_over();
}

uring::Task<> ShardListener::leave_queue() {
  // The kernel wakes one of those who wait at a socket: where that was the accept that is cancelled
  // here, nobody else hears of that client.
  if (socket_.descriptor >= 0) co_await listener_.stop();
  take_last_handed_over();
}

void ShardListener::take_last_handed_over() {
  if (socket_.handed_over == nullptr) return;
  for (const int descriptor : socket_.handed_over->close()) reception_.admit(entrance_, descriptor);
}

void ShardListener::accepted(int descriptor) {
  const auto& takers = socket_.takers;
  const std::size_t turn = takers.empty() ? 0 : next_taker_++ % takers.size();
  const bool taken = turn != 0 && takers[turn]->post(descriptor);
  if (!taken) reception_.admit(entrance_, descriptor);
}

void ShardListener::take_handed_over() {
  if (socket_.handed_over == nullptr) return;
  for (const int descriptor : socket_.handed_over->take()) {
    reception_.admit(entrance_, descriptor);
  }
}

}  // namespace gateway
