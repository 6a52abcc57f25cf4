// Letters to the owner of a loop, from any thread: a bounded queue, and a bell that says that there
// are some. What is posted is in the queue, so nothing depends on how the bell's word travels.
//
//   post() -> true:  the owner gets it, with take() or, the last ones, with close()
//          -> false: closed or full; the letter is still the sender's, who deals with it
//
// So no letter is lost, and none is dealt with twice, whenever the owner closes.
#pragma once

#include <cstddef>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "uring/bell.hh"

namespace uring {

template <class Letter>
class Mailbox {
 public:
  // `bell` outlives it, and may be that of other mailboxes of the same owner, too.
  Mailbox(Bell& bell, std::size_t room) : bell_(bell), room_(room) {
    waiting_.reserve(room);
    taken_.reserve(room);
  }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // On any thread.
  [[nodiscard]] bool post(Letter letter) {
    const std::lock_guard lock(mutex_);
    if (closed_ || waiting_.size() == room_) return false;
    waiting_.push_back(std::move(letter));
    // The owner takes all at once: for those behind the first he has been rung already.
    if (waiting_.size() == 1) bell_.ring();
    return true;
  }

  // On the owner's thread: all that came since, oldest first. Valid until the next call.
  std::span<Letter> take() {
    const std::lock_guard lock(mutex_);
    taken_.clear();
    std::swap(taken_, waiting_);
    return taken_;
  }

  // As take(), and the last time that there is anything.
  std::span<Letter> close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    return take();
  }

 private:
  Bell& bell_;
  const std::size_t room_;
  std::mutex mutex_;
  std::vector<Letter> waiting_;
  std::vector<Letter> taken_;
  bool closed_ = false;
};

}  // namespace uring
