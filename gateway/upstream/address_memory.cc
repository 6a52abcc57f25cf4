#include "gateway/upstream/address_memory.hh"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gateway {

std::vector<AddressMemory::Avoided>::iterator AddressMemory::find(const config::Address& address) {
  return std::ranges::find(avoided_, address, &Avoided::address);
}

uring::Clock::time_point AddressMemory::avoided_until(const config::Address& address) const {
  const auto found = std::ranges::find(avoided_, address, &Avoided::address);
  return found != avoided_.end() ? found->until : uring::Clock::time_point{};
}

std::pmr::vector<std::size_t> AddressMemory::order(Addresses addresses,
                                                   uring::Clock::time_point now,
                                                   std::pmr::memory_resource* memory) const {
  std::pmr::vector<std::size_t> order(addresses.size(), memory);
  std::iota(order.begin(), order.end(), 0);
  if (avoided_.empty()) return order;
  std::pmr::vector<uring::Clock::time_point> until(memory);
  for (const config::Address& address : addresses) {
    const uring::Clock::time_point avoided = avoided_until(address);
    until.push_back(avoided > now ? avoided : uring::Clock::time_point{});
  }
  std::ranges::sort(order, {}, [&](std::size_t index) { return std::pair(until[index], index); });
  return order;
}

void AddressMemory::note_attempt(const config::Address& address, uring::Clock::time_point now) {
  const auto known = find(address);
  if (known != avoided_.end()) known->until = now + kAvoided;
}

bool AddressMemory::note_failure(Addresses addresses, std::size_t index,
                                 uring::Clock::time_point now) {
  if (addresses.size() < 2) return false;
  const auto known = find(addresses[index]);
  const bool is_news = known == avoided_.end();
  if (is_news) {
    avoided_.push_back({addresses[index], now + kAvoided});
  } else {
    known->until = now + kAvoided;
  }
  return is_news;
}

bool AddressMemory::note_success(const config::Address& address) {
  const auto known = find(address);
  if (known == avoided_.end()) return false;
  avoided_.erase(known);
  return true;
}

void AddressMemory::keep_only(Addresses addresses) {
  std::erase_if(avoided_, [&](const Avoided& avoided) {
    return std::ranges::find(addresses, avoided.address) == addresses.end();
  });
}

}  // namespace gateway
