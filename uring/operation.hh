// An asynchronous request that lives in its owner. Its address is the request's user_data, so the
// owner stays where it is until the terminal completion (the one without IORING_CQE_F_MORE) has
// come; each request has exactly one. An owner asks in_flight() before it goes.
#pragma once

#include <cstdint>

#include "uring/check.hh"
#include "uring/owner_of.hh"

namespace uring {

// What a completion says: bytes, a descriptor, or -errno; and the IORING_CQE_F_* flags.
struct Completion {
  int result;
  std::uint32_t flags;
};

class Operation {
 public:
  using Complete = void (*)(Operation&, Completion);

  explicit Operation(Complete complete) : complete_(complete) {}
  ~Operation() { CHECK(!in_flight_, "an operation died in flight"); }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  bool in_flight() const { return in_flight_; }

 private:
  friend class Loop;
  Complete complete_;
  bool in_flight_ = false;
};

// An Operation that ends in a member function of its owner: OperationMember<&Socket::on_sent>.
template <class Owner, auto Method>
class OperationOf : public Operation {
 public:
  explicit OperationOf(Owner& owner) : Operation(&complete), owner_(owner) {}

 private:
  static void complete(Operation& self, Completion completion) {
    (static_cast<OperationOf&>(self).owner_.*Method)(completion);
  }
  Owner& owner_;
};

template <auto Method>
using OperationMember = OperationOf<OwnerOf<Method>, Method>;

}  // namespace uring
