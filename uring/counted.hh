// Shared by several holders on one thread: a plain count in the object, which goes with its last
// holder. Nothing here is atomic, so all of them live on that thread.
#pragma once

#include <cstdint>
#include <utility>

#include "uring/check.hh"

namespace uring {

template <class T>
class Held;

class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 protected:
  ~Counted() { CHECK(holders_ == 0, "what somebody holds does not go"); }

 private:
  template <class T>
  friend class Held;
  std::uint32_t holders_ = 0;
};

// One holder, or null. `T` derives from Counted.
template <class T>
class Held {
 public:
  Held() = default;
  explicit Held(T& object) : object_(&object) { ++object.holders_; }
  Held(const Held& other) : object_(other.object_) {
    if (object_ != nullptr) ++object_->holders_;
  }
  Held(Held&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Held& operator=(Held other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Held() {
    if (object_ != nullptr && --object_->holders_ == 0) delete object_;
  }

  template <class... Arguments>
  static Held make(Arguments&&... arguments) {
    return Held(*new T(std::forward<Arguments>(arguments)...));
  }

  explicit operator bool() const { return object_ != nullptr; }
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }
  T* get() const { return object_; }

 private:
  T* object_ = nullptr;
};

}  // namespace uring
