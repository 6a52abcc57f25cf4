#include "gateway/upstream/address_memory.hh"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gateway {

AddressMemory::AddressMemory(const config::Config& config) {
  for (const config::Pool& pool : config.pools) {
    for (const config::Server& server : pool.servers) {
      const std::size_t count = server.addresses.size();
      avoided_until_.emplace_back(count > 1 ? count : 0, kFine);
    }
  }
}

std::pmr::vector<std::size_t> AddressMemory::order(const config::Server& server,
                                                   uring::Clock::time_point now,
                                                   std::pmr::memory_resource* memory) const {
  std::pmr::vector<std::size_t> order(server.addresses.size(), memory);
  std::iota(order.begin(), order.end(), 0);
  const std::vector<uring::Clock::time_point>& until = avoided_until_[server.index];
  if (until.empty()) return order;
  const auto key = [&](std::size_t address) {
    return std::pair(until[address] > now ? until[address] : kFine, address);
  };
  std::ranges::sort(order, {}, key);
  return order;
}

void AddressMemory::note_attempt(const config::Server& server, std::size_t address,
                                 uring::Clock::time_point now) {
  std::vector<uring::Clock::time_point>& until = avoided_until_[server.index];
  if (!until.empty() && until[address] != kFine) until[address] = now + kAvoided;
}

bool AddressMemory::note_failure(const config::Server& server, std::size_t address,
                                 uring::Clock::time_point now) {
  std::vector<uring::Clock::time_point>& until = avoided_until_[server.index];
  if (until.empty()) return false;
  return std::exchange(until[address], now + kAvoided) == kFine;
}

bool AddressMemory::note_success(const config::Server& server, std::size_t address) {
  std::vector<uring::Clock::time_point>& until = avoided_until_[server.index];
  return !until.empty() && std::exchange(until[address], kFine) != kFine;
}

}  // namespace gateway
