#include "gateway/shard/shard_listener.hh"

namespace gateway {

ShardListener::ShardListener(uring::Loop& loop, uring::Bell& bell, Reception& reception,
                             std::size_t index, const ListeningSocket& socket)
    : reception_(reception),
      index_(index),
      accepts_(socket.descriptor >= 0),
      listener_(loop, socket.descriptor, *this),
      handed_over_(bell, socket.is_unix ? kHandedOverMax : 0) {}

void ShardListener::start() {
  if (accepts_) listener_.start();
}

uring::Task<> ShardListener::stop() {
  if (accepts_) co_await listener_.stop();
  for (const int descriptor : handed_over_.close()) reception_.admit(index_, descriptor);
}

void ShardListener::accepted(int descriptor) {
  const std::size_t turn = takers_.empty() ? 0 : next_taker_++ % takers_.size();
  const bool taken = turn != 0 && takers_[turn]->post(descriptor);
  if (!taken) reception_.admit(index_, descriptor);
}

void ShardListener::take_handed_over() {
  for (const int descriptor : handed_over_.take()) reception_.admit(index_, descriptor);
}

}  // namespace gateway
