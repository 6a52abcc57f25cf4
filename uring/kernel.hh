// The seam under the runtime: everything that it asks of the operating system. The real one is a
// ring (io_uring_kernel.hh); the tests put a seeded simulator here, which shortens, reorders,
// delays and fails what a kernel may shorten, reorder, delay and fail.
//
// Requests and completions keep the kernel's own format, so the runtime above is the same code on
// both. All calls come from the thread of one loop, but for ring().
#pragma once

#include <liburing.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "uring/tcp_options.hh"

namespace uring {

using Clock = std::chrono::steady_clock;

// Where a connection is to come from; without an address the system chooses.
struct Source {
  const sockaddr* address = nullptr;
  socklen_t length = 0;
};

class Kernel {
 public:
  virtual ~Kernel() = default;

  // Makes the calling thread the one that all further calls come from.
  virtual void enable() = 0;

  // An empty request, to be submitted with the next wait. Submits at once when the queue is full.
  virtual io_uring_sqe& next_sqe() = 0;

  // Submits what is queued, and waits for one completion, or until `timeout` has passed; zero does
  // not wait, none waits without an end.
  virtual void submit_and_wait(std::optional<std::chrono::nanoseconds> timeout) = 0;

  // So many are wanted at once, if there are.
  static constexpr std::size_t kCompletionsAtOnce = 1024;
  // Copies up to completions.size() completions, oldest first, and removes them from the queue.
  virtual std::size_t take_completions(std::span<io_uring_cqe> completions) = 0;

  virtual Clock::time_point now() = 0;

  // A provided buffer ring for `group`; `entries` is a power of two. Null on failure, with errno.
  virtual io_uring_buf_ring* add_buffer_ring(unsigned entries, std::uint16_t group) = 0;
  virtual void remove_buffer_ring(io_uring_buf_ring* ring, unsigned entries,
                                  std::uint16_t group) = 0;

  // A stream socket of this address family that sends small segments at once, and takes little more
  // than it can send (kUnsentBytes, unless the options say otherwise); -errno on failure.
  virtual int open_socket(int family, const TcpOptions& options) = 0;

  // What it connects comes from there, by a port that the kernel chooses at the connect, so that a
  // port serves for several destinations. 0, or -errno: EADDRNOTAVAIL where the address is not this
  // machine's.
  virtual int bind_source(int descriptor, const Source& source) = 0;

  // Makes close() answer with a RST what a peer would take for a proper end.
  virtual void reset_on_close(int descriptor) = 0;

  // Who is at the other end of a connected descriptor; -errno on failure.
  virtual int peer_address(int descriptor, sockaddr* address, socklen_t* length) = 0;

  // Which of our addresses a connected descriptor has come to; -errno on failure.
  virtual int own_address(int descriptor, sockaddr* address, socklen_t* length) = 0;

  // What the system of a connected peer has made of what was sent to it.
  struct Taking {
    // Of all that was ever sent, what has been acknowledged; nothing where the kernel does not
    // count it, as of a Unix socket.
    std::optional<std::uint64_t> acknowledged;
    // What the kernel has taken from us, and the peer's has not from it. Of a Unix socket in the
    // kernel's own measure, which is no less than the bytes.
    std::uint64_t unacknowledged = 0;
  };
  // System calls of their own: to be asked seldom.
  virtual Taking taking(int descriptor) = 0;

  // Unpredictable bytes.
  virtual void fill_random(std::span<std::byte> bytes) = 0;

  // As the system calls of these names; -errno on failure.
  virtual int shutdown(int descriptor, int how) = 0;
  virtual int close(int descriptor) = 0;

  // Whether a client waits to be accepted.
  virtual bool client_waits(int listening_descriptor) = 0;

  // What other threads wake the loop by: a counter, readable once it has been rung; -errno on
  // failure.
  virtual int open_bell() = 0;
  // Adds one. On any thread.
  virtual void ring(int bell) = 0;

  // Whether a multishot receive can be capped at a number of bytes (Linux 6.17). Without it every
  // receive is armed for one shot.
  virtual bool receive_byte_cap() const = 0;

  // System calls that entered the kernel so far.
  virtual std::uint64_t enters() const = 0;
};

}  // namespace uring
