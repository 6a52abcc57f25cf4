// What an object of which there are hundreds of thousands knows of a function and of its owner, in
// four bytes each instead of eight: how far they lie from something that is always there. That
// works for functions of this program, and for owners of which the object itself is a part.
#pragma once

#include <cstdint>

#include "uring/check.hh"

namespace uring {
namespace detail {

inline void code_anchor() {}

}  // namespace detail

template <class Signature>
class NearFunction;

template <class Result, class... Arguments>
class NearFunction<Result(Arguments...)> {
 public:
  using Pointer = Result (*)(Arguments...);

  explicit NearFunction(Pointer function)
      : distance_(static_cast<std::int32_t>(address(function) - anchor())) {
    CHECK(get() == function, "all functions lie within 2 GiB");
  }
  Pointer get() const { return reinterpret_cast<Pointer>(anchor() + distance_); }

 private:
  static std::intptr_t address(Pointer function) {
    return reinterpret_cast<std::intptr_t>(function);
  }
  static std::intptr_t anchor() { return reinterpret_cast<std::intptr_t>(&detail::code_anchor); }

  std::int32_t distance_;
};

// From a part to the whole, in bytes.
inline std::uint32_t owner_distance(const void* owner, const void* part) {
  constexpr std::uintptr_t kMax = 1 << 24;
  const auto distance =
      reinterpret_cast<std::uintptr_t>(part) - reinterpret_cast<std::uintptr_t>(owner);
  CHECK(distance < kMax, "it is a part of its owner");
  return static_cast<std::uint32_t>(distance);
}

template <class Owner>
Owner& owner_at(void* part, std::uint32_t distance) {
  return *reinterpret_cast<Owner*>(static_cast<char*>(part) - distance);
}

}  // namespace uring
