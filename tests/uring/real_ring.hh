// A loop on the real ring, made small so that it overflows and runs dry: 8 completions, a handful
// of receive buffers. Its peers are plain sockets over loopback, which the test reads and writes
// between the turns without ever blocking.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <utility>

#include "tests/uring/simulation.hh"
#include "uring/io_uring_kernel.hh"
#include "uring/loop.hh"

// Closes what it holds.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int number = -1) : number_(number) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : number_(other.release()) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~OwnedDescriptor() { close(); }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void close() {
    if (number_ >= 0) ::close(release());
  }

 private:
  int number_;
};

inline sockaddr_in loopback_address(int listener = -1) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (listener >= 0) {
    EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  } else {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  return address;
}

inline OwnedDescriptor listen_on_loopback(int backlog = 64) {
  OwnedDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback_address();
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener.get(), backlog), 0);
  return listener;
}

inline OwnedDescriptor connect_to(int listener) {
  OwnedDescriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback_address(listener);
  EXPECT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  fcntl(client.get(), F_SETFL, O_NONBLOCK);
  return client;
}

// Both ends of a connection over loopback with small send buffers; only the peer's never blocks.
struct RealPair {
  RealPair() {
    const OwnedDescriptor listener = listen_on_loopback();
    peer = connect_to(listener.get());
    local = OwnedDescriptor(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const int small = 4096;
    for (const int end : {peer.get(), local.get()}) {
      setsockopt(end, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
  }
  OwnedDescriptor local;
  OwnedDescriptor peer;
};

struct RealRing {
  explicit RealRing(bool one_shot_receive = false,
                    uring::ReceiveBufferOptions buffer_options = kFewBuffers)
      : kernel(make_kernel(one_shot_receive)), loop(*kernel) {
    buffers = uring::ReceiveBuffers::create(*kernel, loop.ready(), buffer_options).value();
    loop.set_receive_buffers(*buffers);
  }

  template <class Condition, class World>
  bool turn_until(Condition condition, World world) {
    return ::turn_until(loop, 20'000, condition, world);
  }
  template <class Condition>
  bool turn_until(Condition condition) {
    return turn_until(condition, [] {});
  }
  Dice& dice() { return dice_; }

  void expect_quiet() {
    EXPECT_EQ(loop.in_flight(), 0u);
    EXPECT_EQ(buffers->lent(), 0u);
  }

  std::unique_ptr<uring::IoUringKernel> kernel;
  uring::Loop loop;
  std::unique_ptr<uring::ReceiveBuffers> buffers;

 private:
  static std::unique_ptr<uring::IoUringKernel> make_kernel(bool one_shot_receive) {
    auto made = uring::IoUringKernel::create(
        {.submissions = 4, .completions = 8, .one_shot_receive = one_shot_receive});
    if (!made) throw std::runtime_error(made.error());
    (*made)->enable();
    return std::move(*made);
  }
  Dice dice_{1};
};
