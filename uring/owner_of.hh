// The class that a member function belongs to.
//
// What calls a member function of its owner (ReadyMember, TimerMember, OperationMember) is a
// template over the owner's type and the function. With the function alone, g++ 12 takes two
// classes of one name, each in the unnamed namespace of its file, for the same argument, and the
// handlers of one file run those of the other.
#pragma once

namespace uring {
namespace detail {

template <class Method>
struct OwnerOf;

template <class Owner, class... Arguments>
struct OwnerOf<void (Owner::*)(Arguments...)> {
  using Type = Owner;
};

}  // namespace detail

template <auto Method>
using OwnerOf = typename detail::OwnerOf<decltype(Method)>::Type;

}  // namespace uring
