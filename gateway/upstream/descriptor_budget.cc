#include "gateway/upstream/descriptor_budget.hh"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t kBurstOfListener = 64;

}  // namespace

void DescriptorBudget::set_capacity(std::size_t limit, std::size_t in_use, std::size_t listeners) {
  const std::size_t taken = in_use + listeners + kReserve;
  // One client is better than none: where even that is too much, it is told so.
  capacity_ = limit > taken ? std::max<std::size_t>(limit - taken, 2) : 2;
  burst_ = kBurstOfListener * listeners;
}

std::size_t DescriptorBudget::clients_more() const {
  std::size_t used = 0;
  for (const Share& share : shares_) {
    used += 2 * std::size_t{share.clients.load(std::memory_order_relaxed)} +
            share.idle.load(std::memory_order_relaxed);
  }
  return used < capacity_ ? (capacity_ - used) / 2 : 0;
}

}  // namespace gateway
