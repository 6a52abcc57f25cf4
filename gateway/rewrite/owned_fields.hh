// Whose word a field of a request is. Applications believe some fields because they stand behind a
// gateway: where a request came from, what was asked for, how its body is framed. These are the
// gateway's to write, or a trusted peer's; of anybody else they are left out, in heads and in
// trailers.
#pragma once

#include <cstdint>
#include <string_view>

namespace gateway {

enum class Owner : std::uint8_t {
  kClient,       // any other field
  kGateway,      // the gateway writes it itself
  kTrustedPeer,  // never written, and believed of a peer that is trusted
  kNobody,       // no peer may send it
};

// `tag` is the name's http::field_tag. A name that makes the same variable as one with an owner, or
// as one that is for one hop, is nobody's (X_Real_IP, X.Real.IP): see equals_as_variable.
Owner owner_of(std::string_view name, std::uint32_t tag);

}  // namespace gateway
