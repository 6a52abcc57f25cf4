// An asynchronous request that lives in its owner. Its address is the request's user_data, so the
// owner stays where it is until the terminal completion (the one without IORING_CQE_F_MORE) has
// come; each request has exactly one. An owner asks in_flight() before it goes.
#pragma once

#include <cstdint>

#include "uring/check.hh"
#include "uring/near.hh"
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

  // `owner` has it as a part.
  Operation(Complete complete, const void* owner)
      : complete_(complete), owner_distance_(owner_distance(owner, this) & kDistanceMask) {}
  ~Operation() { CHECK(!in_flight_, "an operation died in flight"); }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  bool in_flight() const { return in_flight_; }

 protected:
  template <class Owner>
  Owner& owner() {
    return owner_at<Owner>(this, owner_distance_);
  }

 private:
  friend class Loop;
  NearFunction<void(Operation&, Completion)> complete_;
  static constexpr std::uint32_t kDistanceMask = 0x7fffffff;
  std::uint32_t owner_distance_ : 31;
  bool in_flight_ : 1 = false;
};

static_assert(sizeof(Operation) == 8);

// An Operation that ends in a member function of its owner, which has it as a part:
// OperationMember<&Socket::on_sent>.
template <class Owner, auto Method>
class OperationOf : public Operation {
 public:
  explicit OperationOf(Owner& owner) : Operation(&complete, &owner) {}

 private:
  static void complete(Operation& self, Completion completion) {
    (static_cast<OperationOf&>(self).template owner<Owner>().*Method)(completion);
  }
};

template <auto Method>
using OperationMember = OperationOf<OwnerOf<Method>, Method>;

}  // namespace uring
