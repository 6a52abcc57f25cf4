// What may be asked of Linux for a TCP socket's sake, beyond what each one gets. What is zero is
// the system's affair.
#pragma once

#include <chrono>
#include <cstdint>

namespace uring {

// Probes to a peer that says nothing: is it still there?
struct TcpKeepAlive {
  std::chrono::seconds idle{0};      // after so long; zero: none are sent
  std::chrono::seconds interval{0};  // then so often
  unsigned probes = 0;               // and so many without an answer end the connection

  bool operator==(const TcpKeepAlive&) const = default;
};

// What may lie unsent in the kernel before a peer that we connect to and that does not read,
// besides what is on its way: else megabytes would lie between an end and the news of it.
inline constexpr std::uint32_t kUnsentBytes = 256 * 1024;

struct TcpOptions {
  // What was sent and is not acknowledged for so long ends the connection (TCP_USER_TIMEOUT); so
  // does a peer that has no room for more for so long, whatever it answers to probes.
  std::chrono::milliseconds user_timeout{0};
  TcpKeepAlive keep_alive;
  // So much may lie unsent in the kernel, besides what is on its way (TCP_NOTSENT_LOWAT).
  std::uint32_t unsent_bytes = 0;

  bool operator==(const TcpOptions&) const = default;
};

// What differs of those that it has already, one call each. Of a listening socket: what it accepts
// from then on inherits them.
void set_tcp_options(int descriptor, const TcpOptions& options, const TcpOptions& has = {});
// It has none from then on, whatever it had.
void clear_tcp_options(int descriptor);

}  // namespace uring
