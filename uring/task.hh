// Task<T>: a lazily started coroutine with one awaiter. A frame is one allocation, so there is a
// task per connection and per pump, and none per message.
//
// A child that ends before its first suspension hands its result over without any transfer; one
// that ends later resumes its parent from the final suspension point. Every resumption starts
// from the ready list, so the depth of the stack is the nesting of the tasks, also where the
// compiler makes no tail call of it (-O0, sanitizers).
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "uring/block_pool.hh"
#include "uring/check.hh"

namespace uring {

template <class T = void>
class Task;

namespace detail {

// A class whose member coroutines take their frames from a pool, which outlives them.
template <class Owner>
concept HasFramePool = requires(Owner& owner) {
  { owner.frames() } -> std::same_as<BlockPool&>;
};

class PromiseBase {
 public:
  template <class Owner, class... Arguments>
  requires HasFramePool<Owner>
  static void* operator new(std::size_t size, Owner& owner, const Arguments&...) {
    return BlockPool::take_marked(&owner.frames(), size);
  }
  static void* operator new(std::size_t size) { return BlockPool::take_marked(nullptr, size); }
  static void operator delete(void* frame, std::size_t size) {
    BlockPool::give_back_marked(frame, size);
  }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      PromiseBase& promise = self.promise();
      if (promise.parent_ && !promise.starting_) promise.parent_.resume();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() const noexcept { std::terminate(); }

  std::coroutine_handle<> parent_;
  bool starting_ = false;
};

template <class T>
class Promise : public PromiseBase {
 public:
  Task<T> get_return_object();
  void return_value(T value) { value_.emplace(std::move(value)); }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() { destroy(); }

  // For a task without a parent: runs until the first suspension. Once only.
  void start() { handle_.resume(); }
  bool done() const { return !handle_ || handle_.done(); }

  class Awaiter {
   public:
    explicit Awaiter(Handle child) : child_(child) {}
    bool await_ready() const { return false; }
    bool await_suspend(std::coroutine_handle<> parent) {
      detail::PromiseBase& promise = child_.promise();
      promise.parent_ = parent;
      promise.starting_ = true;
      child_.resume();
      promise.starting_ = false;
      return !child_.done();
    }
    T await_resume() { return child_.promise().take(); }

   private:
    Handle child_;
  };

  Awaiter operator co_await() & { return Awaiter(handle_); }
  Awaiter operator co_await() && { return Awaiter(handle_); }

 private:
  void destroy() {
    if (!handle_) return;
    CHECK(handle_.done() || !started(), "a task was destroyed while it ran");
    handle_.destroy();
  }
  bool started() const { return handle_.promise().parent_ != nullptr; }

  Handle handle_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace detail
}  // namespace uring
