// What is to run in this turn. Completions, timers and events never resume a coroutine themselves:
// they put a Ready into the list, and the loop runs the list afterwards. So no handler is ever
// entered from inside another one, and the stack stays flat.
//
// A Ready lives in its owner (an awaiter in a coroutine frame, a link, a connection), is in the
// list at most once, and must not die while it is in there. Who pushed it may take it back.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "uring/check.hh"
#include "uring/list.hh"
#include "uring/near.hh"
#include "uring/owner_of.hh"

namespace uring {

class Ready : private ListEntry {
 public:
  using Run = void (*)(Ready&);

  explicit Ready(Run run) : run_(run) {}
  // `owner` has it as a part.
  Ready(Run run, const void* owner) : run_(run), owner_distance_(owner_distance(owner, this)) {}
  ~Ready() { CHECK(!queued(), "a Ready died while it was due to run"); }

  bool queued() const { return listed(); }
  // It is not to run any more; nothing happens where it was not due.
  void take_back() { unlist(); }

  // Of the second kind.
  template <class Owner>
  Owner& owner() {
    return owner_at<Owner>(this, owner_distance_);
  }

 private:
  friend class List<Ready>;
  friend class ReadyList;
  NearFunction<void(Ready&)> run_;
  std::uint32_t owner_distance_ = 0;
};

static_assert(sizeof(Ready) == 24);

class ReadyList : public List<Ready> {
 public:
  // Runs at most `budget` entries, including those that are pushed meanwhile.
  void run(std::size_t budget) {
    while (!empty() && budget-- > 0) {
      Ready& ready = pop();
      ready.run_.get()(ready);
    }
  }
};

// A Ready that calls a member function of its owner, which has it as a part:
// ReadyMember<&Link::on_received> in class Link.
template <class Owner, auto Method>
class ReadyOf : public Ready {
 public:
  explicit ReadyOf(Owner& owner) : Ready(&run, &owner) {}

  // For who makes such a Ready elsewhere in the owner.
  static void run(Ready& self) { (self.owner<Owner>().*Method)(); }
};

template <auto Method>
using ReadyMember = ReadyOf<OwnerOf<Method>, Method>;

// A Ready that resumes a coroutine; lives in an awaiter.
class Waiter : public Ready {
 public:
  Waiter() : Ready(&run) {}
  void set_coroutine(std::coroutine_handle<> coroutine) { coroutine_ = coroutine; }

 private:
  static void run(Ready& self) { static_cast<Waiter&>(self).coroutine_.resume(); }
  std::coroutine_handle<> coroutine_;
};

// Level-triggered and for one waiter: `co_await event.wait()` goes on once the event is set, at
// once if it is. Whoever needs it again clears it.
class Event {
 public:
  explicit Event(ReadyList& list) : list_(list) {}
  ~Event() { CHECK(state_ <= kSet, "an Event died under its waiter"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool is_set() const { return state_ == kSet; }
  void clear() {
    if (is_set()) state_ = kClear;
  }
  void set() {
    if (Waiter* const waiter = take_waiter()) list_.push(*waiter);
    state_ = kSet;
  }

  class Wait {
   public:
    explicit Wait(Event& event) : event_(event) {}
    bool await_ready() const { return event_.is_set(); }
    void await_suspend(std::coroutine_handle<> coroutine) {
      CHECK(event_.state_ == kClear, "an Event has one waiter");
      waiter_.set_coroutine(coroutine);
      event_.state_ = reinterpret_cast<std::uintptr_t>(&waiter_);
    }
    void await_resume() const {}

   private:
    Event& event_;
    Waiter waiter_;
  };

  // The awaiter lives in the awaiting frame; it is not an aggregate and has a trivial-enough
  // destructor only in effect, so it is kept out of larger co_await expressions.
  Wait wait() { return Wait(*this); }

 private:
  static constexpr std::uintptr_t kClear = 0;
  static constexpr std::uintptr_t kSet = 1;

  Waiter* take_waiter() {
    return state_ > kSet ? reinterpret_cast<Waiter*>(std::exchange(state_, kClear)) : nullptr;
  }

  ReadyList& list_;
  std::uintptr_t state_ = kClear;  // or who waits
};

}  // namespace uring
