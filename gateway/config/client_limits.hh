// How many clients there may be, and what each address may have: [limits] and [limits.address], and
// the lists of whom a listener or a route lets in. Plain data; 0 means any number.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/address_list.hh"

namespace gateway::config {

// What each client's address may have, an IPv6 one with its /64.
struct AddressLimits {
  std::uint64_t connections = 0;
  std::uint64_t connections_per_second = 0;
  std::uint64_t handshakes_per_second = 0;  // of TLS
  std::uint64_t requests_per_second = 0;
  std::chrono::milliseconds burst{1'000};  // what was not used for so long may come at once

  bool any() const {
    return connections > 0 || connections_per_second > 0 || handshakes_per_second > 0 ||
           requests_per_second > 0;
  }
  bool operator==(const AddressLimits&) const = default;
};

// What becomes of a client whose address finds no room among those that are known.
enum class TableFull : std::uint8_t { refuse, allow };

inline constexpr std::array<std::string_view, 2> kTableFullNames = {"refuse", "allow"};

struct ClientLimits {
  std::uint64_t connections = 0;  // of clients, in all
  size_t addresses = 65'536;      // that are known at a time
  TableFull table_full = TableFull::refuse;
  size_t handshakes_waiting = 1024;  // clients of a shard whose TLS handshake is not done
  size_t memory_bytes_max = 0;       // that the process may hold; 0: what the machine suffices for
  AddressLimits address;

  bool operator==(const ClientLimits&) const = default;
};

// Whom a listener or a route lets in.
struct Access {
  std::vector<std::string> allow;  // as written, "file:" with an absolute path
  std::vector<std::string> deny;
  std::shared_ptr<const AddressList> list;  // with what the files held; null: anybody

  bool operator==(const Access& other) const;
};

}  // namespace gateway::config
