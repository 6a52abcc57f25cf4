// What the simulated kernel answers without its ring: descriptors, streams, registered buffers.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tests/uring/simulator.hh"
#include "uring/poison.hh"

int SimulatedKernel::open_stream(Stream& peer) {
  peer = std::make_shared<SimulatedStream>(options_.window);
  return system_->new_descriptor({.stream = peer, .waiting = {}});
}

SimulatedKernel::Stream SimulatedKernel::peer_of(int descriptor) {
  return descriptors_.at(descriptor).stream;
}

int SimulatedKernel::open_listener(bool is_unix) {
  return system_->new_descriptor(
      {.stream = nullptr, .listening = true, .is_unix = is_unix, .waiting = {}});
}

SimulatedKernel::Stream SimulatedKernel::come_to(int listener) {
  auto stream = std::make_shared<SimulatedStream>(options_.window);
  descriptors_.at(listener).waiting.push_back(stream);
  return stream;
}

io_uring_buf_ring* SimulatedKernel::add_buffer_ring(unsigned entries, std::uint16_t group) {
  EXPECT_EQ(entries & (entries - 1), 0u) << "a ring's size is a power of two";
  void* memory =
      std::aligned_alloc(4096, std::max<std::size_t>(4096, entries * sizeof(io_uring_buf)));
  std::memset(memory, 0, entries * sizeof(io_uring_buf));
  auto* shared = static_cast<io_uring_buf_ring*>(memory);
  rings_[group] = {shared, entries};
  return shared;
}

void SimulatedKernel::remove_buffer_ring(io_uring_buf_ring* ring, unsigned, std::uint16_t group) {
  EXPECT_EQ(rings_.at(group).shared, ring);
  rings_.erase(group);
  std::free(ring);
}

// Whoever still looks at a buffer that was given back finds other bytes there.
void SimulatedKernel::overwrite_given_back() {
  for (auto& [group, ring] : rings_) {
    for (; ring.seen_tail != ring.shared->tail; ++ring.seen_tail) {
      const io_uring_buf& buffer = ring.shared->bufs[ring.seen_tail & (ring.entries - 1)];
      void* memory = reinterpret_cast<void*>(buffer.addr);
      uring::unpoison(memory, buffer.len);
      std::memset(memory, 0xdd, buffer.len);
      uring::poison(memory, buffer.len);
    }
    EXPECT_LE(static_cast<std::uint16_t>(ring.seen_tail - ring.head), ring.entries)
        << "a buffer was given back twice";
  }
}

int SimulatedKernel::open_socket(int, const uring::TcpOptions&) {
  if (has(kShortage) && dice_.chance(5)) return -EMFILE;
  return system_->new_descriptor({.stream = nullptr, .waiting = {}});
}

int SimulatedKernel::bind_source(int descriptor, const uring::Source& source) {
  EXPECT_EQ(descriptors_.at(descriptor).stream, nullptr) << "bound when it was connected already";
  EXPECT_NE(source.address, nullptr);
  return has(kShortage) && dice_.chance(5) ? -EADDRNOTAVAIL : 0;
}

int SimulatedKernel::open_bell() {
  return system_->new_descriptor({.stream = nullptr, .waiting = {}});
}

void SimulatedKernel::reset_on_close(int descriptor) {
  descriptors_.at(descriptor).reset_on_close = true;
}

// The loopback address; a peer that does not say its port has the descriptor's number.
int SimulatedKernel::peer_address(int descriptor, sockaddr* address, socklen_t* length) {
  const Descriptor& on = descriptors_.at(descriptor);
  if (on.stream != nullptr && on.stream->port() != 0) asked_for_.push_back(on.stream);
  if (on.stream == nullptr || on.stream->finished_by_reset()) return -ENOTCONN;
  if (on.is_unix) {
    address->sa_family = AF_UNIX;
    *length = sizeof address->sa_family;
    return 0;
  }
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  const std::uint16_t port = on.stream->port();
  peer.sin_port = htons(port != 0 ? port : static_cast<std::uint16_t>(descriptor));
  peer.sin_addr.s_addr = htonl(on.stream->address());
  EXPECT_GE(*length, sizeof peer);
  std::memcpy(address, &peer, sizeof peer);
  *length = sizeof peer;
  return 0;
}

// The loopback address and a port, as of all that it listens on.
int SimulatedKernel::own_address(int descriptor, sockaddr* address, socklen_t* length) {
  const int known = peer_address(descriptor, address, length);
  if (known == 0 && address->sa_family == AF_INET) {
    reinterpret_cast<sockaddr_in*>(address)->sin_port = htons(443);
  }
  return known;
}

// What its peer has read, as if it had no buffer of its own.
SimulatedKernel::Taking SimulatedKernel::taking(int descriptor) {
  const auto at = descriptors_.find(descriptor);
  if (at == descriptors_.end()) {
    ADD_FAILURE() << "a question about descriptor " << descriptor << ", which is not open";
    return {};
  }
  const Descriptor& on = at->second;
  if (on.stream == nullptr) return {};
  // Of a Unix socket nothing else is told.
  const auto taken = on.is_unix ? std::nullopt : std::optional(on.stream->taken());
  return {taken, on.stream->unread()};
}

void SimulatedKernel::fill_random(std::span<std::byte> bytes) {
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(dice_.between(0, 255));
}

int SimulatedKernel::shutdown(int descriptor, int how) {
  const auto at = descriptors_.find(descriptor);
  if (at == descriptors_.end()) {
    ADD_FAILURE() << "shutdown of descriptor " << descriptor << ", which is not open";
    return -EBADF;
  }
  at->second.shut_down = true;
  if (at->second.stream == nullptr) return -ENOTCONN;
  at->second.stream->local_shutdown(how);
  return 0;
}

bool SimulatedKernel::client_waits(int listening_descriptor) {
  return !descriptors_.at(listening_descriptor).waiting.empty();
}

int SimulatedKernel::close(int descriptor) {
  const auto at = descriptors_.find(descriptor);
  if (at == descriptors_.end()) {
    ADD_FAILURE() << "close of descriptor " << descriptor << ", which is not open";
    return -EBADF;
  }
  EXPECT_EQ(at->second.in_flight, 0u) << "closed with requests in flight";
  for (const io_uring_sqe& sqe : queue_) {
    const bool names_it = sqe.opcode != IORING_OP_ASYNC_CANCEL && sqe.fd == descriptor;
    EXPECT_FALSE(names_it) << "closed with a request that was not submitted";
  }
  if (at->second.stream != nullptr) at->second.stream->local_close(at->second.reset_on_close);
  descriptors_.erase(at);
  return 0;
}
