#include "gateway/upstream/descriptor_budget.hh"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t kBurstOfListener = 64;

}  // namespace

void DescriptorBudget::set_capacity(std::size_t limit, std::size_t in_use, std::size_t listeners) {
  limit_ = limit;
  own_ = in_use - std::min(in_use, listeners);
  set_listeners(listeners);
}

void DescriptorBudget::set_listeners(std::size_t listeners) {
  const std::size_t taken = own_ + 2 * listeners + kReserve;
  // One client is better than none: where even that is too much, it is told so.
  const std::size_t left = limit_ > taken ? std::max<std::size_t>(limit_ - taken, 2) : 2;
  capacity_.store(left, std::memory_order_relaxed);
  burst_.store(kBurstOfListener * listeners, std::memory_order_relaxed);
}

std::size_t DescriptorBudget::clients_more() const {
  std::size_t used = 0;
  for (const Share& share : shares_) {
    used += 2 * std::size_t{share.clients.load(std::memory_order_relaxed)} +
            share.idle.load(std::memory_order_relaxed);
  }
  const std::size_t capacity = capacity_.load(std::memory_order_relaxed);
  return used < capacity ? (capacity - used) / 2 : 0;
}

}  // namespace gateway
