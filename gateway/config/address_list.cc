#include "gateway/config/address_list.hh"

#include <algorithm>
#include <optional>
#include <tuple>

namespace gateway::config {
namespace {

constexpr unsigned kMappedBits = 96;

bool is_v4(const Network& network) {
  return network.prefix_bits >= kMappedBits && is_mapped(network.address);
}

// The address behind the last one of a network; nothing where there is none.
std::optional<Octets> end_of(const Network& network) {
  Octets end = network.address;
  unsigned bit = network.prefix_bits;
  while (bit > 0) {
    --bit;
    const auto mask = static_cast<std::uint8_t>(0x80u >> bit % 8);
    end[bit / 8] ^= mask;
    if ((end[bit / 8] & mask) != 0) return end;  // no carry
  }
  return std::nullopt;
}

}  // namespace

struct AddressList::Rule {
  Network network;
  bool admitted;
};

AddressList::AddressList(std::span<const Network> allowed, std::span<const Network> denied,
                         bool names_allowed)
    : admits_others_(!names_allowed) {
  std::vector<Rule> of_v4;
  std::vector<Rule> of_v6;
  const auto add = [&](const Network& network, bool admitted) {
    (is_v4(network) ? of_v4 : of_v6).push_back({network, admitted});
  };
  for (const Network& network : allowed) add(network, true);
  for (const Network& network : denied) add(network, false);
  v4_ = flatten(std::move(of_v4));
  v6_ = flatten(std::move(of_v6));
}

// Two networks are apart, or one lies within the other: so a stack knows which one holds.
AddressList::Ranges AddressList::flatten(std::vector<Rule> rules) const {
  std::ranges::sort(rules, {}, [](const Rule& rule) {
    return std::tuple(rule.network.address, rule.network.prefix_bits, !rule.admitted);
  });
  Ranges ranges = {{Octets{}, admits_others_}};
  struct Open {
    std::optional<Octets> end;
    bool admitted;
  };
  std::vector<Open> open;
  const auto holding = [&] { return open.empty() ? admits_others_ : open.back().admitted; };
  const auto begin_range = [&](const Octets& first) {
    if (ranges.back().first == first) ranges.pop_back();
    const bool is_new = ranges.empty() || ranges.back().admitted != holding();
    if (is_new) ranges.push_back({first, holding()});
  };
  const auto close_until = [&](const Octets* next) {
    while (!open.empty()) {
      const std::optional<Octets> end = open.back().end;
      if (next != nullptr && (!end || *end > *next)) return;
      open.pop_back();
      if (end) begin_range(*end);
    }
  };
  for (const Rule& rule : rules) {
    close_until(&rule.network.address);
    open.push_back({end_of(rule.network), rule.admitted});
    begin_range(rule.network.address);
  }
  close_until(nullptr);
  return ranges;
}

bool AddressList::admits(const Octets& address) const {
  const Ranges& ranges = is_mapped(address) ? v4_ : v6_;
  const auto behind = std::ranges::upper_bound(ranges, address, {}, &Range::first);
  return std::prev(behind)->admitted;
}

}  // namespace gateway::config
