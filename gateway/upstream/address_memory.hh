// What a shard remembers of its servers' addresses: one that has failed, or has not answered in
// time, is tried behind the others for a while. When that is over one request tries it first, and
// finds out for all. Of a server with one address nothing is remembered.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory_resource>
#include <vector>

#include "gateway/config/config.hh"
#include "uring/kernel.hh"

namespace gateway {

class AddressMemory {
 public:
  static constexpr std::chrono::seconds kAvoided{10};

  explicit AddressMemory(const config::Config& config);

  // Indices of the server's addresses, in the order in which to try them now: those to be avoided
  // last, and of them first the one that has been for longest.
  std::pmr::vector<std::size_t> order(const config::Server& server, uring::Clock::time_point now,
                                      std::pmr::memory_resource* memory) const;

  // An attempt begins. What has failed before is avoided by everybody else until it succeeds.
  void note_attempt(const config::Server& server, std::size_t address,
                    uring::Clock::time_point now);
  // True where it is news: what was said before was the contrary, or nothing.
  bool note_failure(const config::Server& server, std::size_t address,
                    uring::Clock::time_point now);
  bool note_success(const config::Server& server, std::size_t address);

 private:
  static constexpr uring::Clock::time_point kFine{};

  // By config::Server::index and address: until when it is avoided; kFine: it has not failed since
  // it succeeded.
  std::vector<std::vector<uring::Clock::time_point>> avoided_until_;
};

}  // namespace gateway
