// The SRV records of an answer (RFC 2782), as the name server has sent it: hostile bytes. Whatever
// is not such a record is passed over; a record that its lengths do not hold makes all of it bad.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gateway::names {

struct ServiceRecord {
  std::string host;  // without a dot at its end; empty: the root
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint32_t ttl_s = 0;

  bool operator==(const ServiceRecord&) const = default;
};

// More than so many are not looked at.
inline constexpr std::size_t kServicesMax = 64;

// Nothing: it is no answer that can be read.
std::optional<std::vector<ServiceRecord>> service_records(std::span<const std::uint8_t> answer);

}  // namespace gateway::names
