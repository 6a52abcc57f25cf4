// Networks that are let in, and networks that are not: of those that hold an address the one with
// the longest prefix decides, and of two alike the one that refuses. Where there is a list of those
// that are let in, if an empty one, whoever is in none of all these is refused; else let in.
//
// Made once, of any number of networks; then immutable. A look takes a binary search.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gateway/config/network.hh"

namespace gateway::config {

class AddressList {
 public:
  // `names_allowed`: there is a list of those that are let in.
  AddressList(std::span<const Network> allowed, std::span<const Network> denied,
              bool names_allowed);

  bool admits(const Octets& address) const;
  // Somebody without an address, such as the peer of a Unix socket.
  bool admits_others() const { return admits_others_; }

  bool operator==(const AddressList&) const = default;

 private:
  // From here on, until the next one.
  struct Range {
    Octets first;
    bool admitted;
    bool operator==(const Range&) const = default;
  };
  using Ranges = std::vector<Range>;
  struct Rule;
  Ranges flatten(std::vector<Rule> rules) const;

  bool admits_others_;
  Ranges v4_;  // sorted; the first begins with the lowest address
  Ranges v6_;
};

}  // namespace gateway::config
