// How a connection is closed, to a client or to a server.
#pragma once

#include <cstdint>

namespace gateway {

enum class Farewell : std::uint8_t {
  kNone,          // FIN behind what the kernel has taken
  kPolite,        // everything, close_notify, FIN, and the peer's own end is awaited
  kWholeOrReset,  // so, where nothing but its end tells that it is whole: what the peer does not
                  // take in time makes it a RST
  kTruncated,     // so, but without the close_notify: what the peer got is not whole
  kReset,         // RST: a FIN would look like the end of something whole
};

}  // namespace gateway
