// An OCSP response (RFC 6960 section 4.2.1) as far as a server has to know it that shows it beside
// its certificate: whether it speaks of that one, what it says, and for how long. Whoever is shown
// it looks at its signature, and at who has signed. Nothing is kept of the bytes that are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>

#include "proto/bytes.hh"

namespace tls {

struct OcspStatus {
  // Clocks differ by so much: a response that is said to begin later is shown by then.
  static constexpr std::int64_t kSkewSeconds = 300;

  enum class Kind : std::uint8_t { kGood, kRevoked, kUnknown };

  Kind kind = Kind::kGood;
  std::int64_t from = 0;   // thisUpdate; seconds since 1970
  std::int64_t until = 0;  // nextUpdate, likewise: from then on it is stale

  // "unknown" says nothing that would help anybody.
  bool is_worth_showing(std::int64_t now) const {
    return kind != Kind::kUnknown && from <= now + kSkewSeconds && now < until;
  }
};

inline constexpr std::size_t kOcspResponseBytesMax = 12 * 1024;

// Both in DER. A failure is words that fit behind the response's name, with the cure: "is for
// another certificate ...".
std::expected<OcspStatus, std::string> read_ocsp_response(proto::Bytes response,
                                                          proto::Bytes certificate);

}  // namespace tls
