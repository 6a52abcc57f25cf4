// What the simulated kernels of one process share: the time, the table of descriptors, and who
// answers at which address. A kernel that stands alone has one of its own.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "tests/uring/simulated_stream.hh"
#include "uring/kernel.hh"

struct SimulatedSystem {
  using Stream = std::shared_ptr<SimulatedStream>;

  struct Descriptor {
    Stream stream;
    bool listening = false;
    bool reset_on_close = false;
    bool shut_down = false;
    bool is_unix = false;
    unsigned in_flight = 0;
    uring::Clock::time_point last_end{};  // of a request that has ended
    std::uint64_t rung = 0;               // of a bell, since it was read
    std::deque<Stream> waiting;           // to be accepted
  };

  // What is at an address: how connects to it end (0, an errno, SimulatedKernel::kNoAnswer), and
  // the far ends of those that have connected.
  struct Site {
    int answer = 0;
    std::deque<Stream> arrived;
  };

  // As the system does, the lowest number that is free: what names a closed one hits another.
  int new_descriptor(Descriptor descriptor) {
    int number = 1000;
    auto at = descriptors.lower_bound(number);
    for (; at != descriptors.end() && at->first == number; ++at) ++number;
    descriptors.emplace_hint(at, number, std::move(descriptor));
    return number;
  }

  // Null where nobody has said what is there.
  Site* site_at(const std::string& address) {
    const auto at = sites.find(address);
    return at == sites.end() ? nullptr : &at->second;
  }
  // "A.B.C.D:PORT", as the numbers are, or "unix:PATH".
  static std::string name_of(const sockaddr* address) {
    if (address->sa_family == AF_UNIX) {
      return std::string("unix:") + reinterpret_cast<const sockaddr_un*>(address)->sun_path;
    }
    if (address->sa_family != AF_INET) return "";
    const auto& ip = *reinterpret_cast<const sockaddr_in*>(address);
    const std::uint32_t number = ntohl(ip.sin_addr.s_addr);
    std::string name;
    for (int shift = 24; shift >= 0; shift -= 8) {
      name += std::to_string((number >> shift) & 0xff) + (shift > 0 ? "." : ":");
    }
    return name + std::to_string(ntohs(ip.sin_port));
  }

  uring::Clock::time_point now{std::chrono::hours(1)};
  // A wait returns at once, and whoever turns the loops moves the time.
  bool stepped = false;
  std::map<int, Descriptor> descriptors;
  std::map<std::string, Site> sites;
};
