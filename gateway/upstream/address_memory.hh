// What a shard remembers of a server's addresses: one that has failed, or has not answered in time,
// is tried behind the others for a while. When that is over one request tries it first, and finds
// out for all. Of a server with one address nothing is remembered.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory_resource>
#include <span>
#include <vector>

#include "gateway/config/address.hh"
#include "uring/kernel.hh"

namespace gateway {

class AddressMemory {
 public:
  static constexpr std::chrono::seconds kAvoided{10};

  using Addresses = std::span<const config::Address>;

  // Indices of `addresses`, in the order in which to try them now: those to be avoided last, and of
  // them first the one that has been for longest.
  std::pmr::vector<std::size_t> order(Addresses addresses, uring::Clock::time_point now,
                                      std::pmr::memory_resource* memory) const;

  // An attempt at the address begins. What has failed before is avoided by everybody else until it
  // succeeds.
  void note_attempt(const config::Address& address, uring::Clock::time_point now);
  // `addresses`: all of the server. True where it is news: what was said before of this one was the
  // contrary, or nothing.
  bool note_failure(Addresses addresses, std::size_t index, uring::Clock::time_point now);
  bool note_success(const config::Address& address);

  // Whatever the server is not at any more is forgotten.
  void keep_only(Addresses addresses);

 private:
  struct Avoided {
    config::Address address;
    uring::Clock::time_point until;
  };

  std::vector<Avoided>::iterator find(const config::Address& address);
  uring::Clock::time_point avoided_until(const config::Address& address) const;

  std::vector<Avoided> avoided_;  // those that have failed since they succeeded
};

}  // namespace gateway
