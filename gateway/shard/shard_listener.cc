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
  const Taker* const taker = choose_taker();
  if (taker != nullptr && hand_over(*taker, descriptor)) return;
  reception_.balance().note_coming(reception_.index());
  reception_.admit(entrance_, descriptor);
}

// Null: this shard.
const Taker* ShardListener::choose_taker() {
  const auto& takers = socket_.takers;
  if (takers.empty()) return nullptr;
  std::size_t at = 0;
  if (socket_.by_turns) {
    at = next_taker_++ % takers.size();
  } else {
    const std::size_t own = reception_.index();
    at = (reception_.balance().shard_for(own) + takers.size() - own) % takers.size();
    if (at != 0 && !reception_.may_hand_over()) at = 0;
  }
  return at == 0 ? nullptr : &takers[at];
}

// Counted there before it is known there.
bool ShardListener::hand_over(const Taker& taker, int descriptor) {
  reception_.balance().note_coming(taker.shard);
  if (taker.mailbox->post(descriptor)) return true;
  reception_.balance().note_gone(taker.shard);
  return false;
}

void ShardListener::take_handed_over() {
  if (socket_.handed_over == nullptr) return;
  for (const int descriptor : socket_.handed_over->take()) {
    reception_.admit(entrance_, descriptor);
  }
}

}  // namespace gateway
