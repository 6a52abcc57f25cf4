// What Linux tells of a connected socket beside its bytes.
#pragma once

#include <cstdint>
#include <optional>

namespace uring {

// Of all that was ever sent over it, what the peer's system has acknowledged (TCP_INFO); nothing
// where it is no TCP socket.
std::optional<std::uint64_t> acknowledged_bytes(int descriptor);

// What lies in the kernel and is not acknowledged (SIOCOUTQ): of a Unix socket what its peer has
// not read, with what the kernel needs to keep it. 0 where the kernel does not say.
std::uint64_t unacknowledged_bytes(int descriptor);

}  // namespace uring
