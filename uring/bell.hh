// The doorbell of a loop: any thread rings, and the loop's BellOwner is told once for all that rang
// meanwhile. A counter of the kernel (eventfd) with one read in flight. It can be rung before its
// loop runs and after it has ended, and ringing has no result: a message to a ring (MSG_RING) is
// refused by one that is not enabled yet, lost in one that nobody reads any more, and tells its
// sender so only later.
#pragma once

#include <cstdint>

#include "uring/loop.hh"
#include "uring/task.hh"

namespace uring {

class BellOwner {
 public:
  virtual void rung() = 0;

 protected:
  ~BellOwner() = default;
};

class Bell {
 public:
  Bell(Loop& loop, BellOwner& owner);
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  // Before all else, on any thread: 0, or errno.
  [[nodiscard]] int open();

  // On the loop's thread. From here on the owner is told, also of what rang before.
  void start();
  // Awaits what is in flight; the owner is told nothing more.
  Task<> stop();

  // On any thread, from open() until it is destroyed.
  void ring() { loop_.kernel().ring(descriptor_); }

 private:
  void listen();
  void on_read(Completion completion);
  void on_rung();

  Loop& loop_;
  BellOwner& owner_;
  int descriptor_ = -1;
  std::uint64_t count_ = 0;
  OperationMember<&Bell::on_read> read_{*this};
  ReadyMember<&Bell::on_rung> rung_{*this};
  Event ended_;
  bool stopping_ = false;
};

}  // namespace uring
