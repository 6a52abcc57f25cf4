// A blocking TCP socket of a test: a client, or what an upstream accepts. Every wait ends after ten
// seconds, and fails the test.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

class PlainPeer {
 public:
  explicit PlainPeer(int descriptor) : descriptor_(descriptor) {
    EXPECT_GE(descriptor, 0);
    const timeval limit{10, 0};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  PlainPeer(PlainPeer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~PlainPeer() { close(); }

  static sockaddr_in local(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  static PlainPeer connect(std::uint16_t port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = local(port);
    EXPECT_EQ(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    return PlainPeer(descriptor);
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // What comes up to and with `end`, or up to the end of the stream.
  std::string receive_until(std::string_view end) {
    std::string text;
    char byte;
    while (!text.ends_with(end) && receive({&byte, 1}) == 1) text += byte;
    return text;
  }
  std::string receive_head() { return receive_until("\r\n\r\n"); }

  // All up to the end of the stream; a reset or ten seconds without a byte end it, too, and show as
  // what they are.
  std::string receive_all() {
    std::string text;
    char bytes[4096];
    ssize_t size;
    while ((size = receive(bytes)) > 0) {
      text.append(bytes, static_cast<std::size_t>(size));
    }
    if (size < 0) text += errno == ECONNRESET ? "[reset]" : "[nothing more came]";
    return text;
  }

  // As recv(2), but for the signals by which a ring of this thread wants attention.
  ssize_t receive(std::span<char> to) {
    ssize_t size;
    do {
      size = ::recv(descriptor_, to.data(), to.size(), 0);
    } while (size < 0 && errno == EINTR);
    return size;
  }

  int descriptor() const { return descriptor_; }
  void shutdown_write() { ::shutdown(descriptor_, SHUT_WR); }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  void reset() {
    const linger at_once{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  int descriptor_;
};

// A listening socket, on a port of its own unless told.
class PlainListener {
 public:
  explicit PlainListener(int backlog = 16, std::uint16_t port = 0)
      : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = PlainPeer::local(port);
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    const int on = 1;
    setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    EXPECT_EQ(bind(descriptor_, any, length), 0);
    EXPECT_EQ(listen(descriptor_, backlog), 0);
    getsockname(descriptor_, any, &length);
    port_ = ntohs(address.sin_port);
    const timeval limit{10, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~PlainListener() { close(descriptor_); }
  PlainListener(const PlainListener&) = delete;
  PlainListener& operator=(const PlainListener&) = delete;

  std::uint16_t port() const { return port_; }
  PlainPeer accept() {
    int accepted;
    do {
      accepted = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    } while (accepted < 0 && errno == EINTR);
    return PlainPeer(accepted);
  }
  // Nobody waits to be accepted.
  bool is_quiet() const {
    pollfd one{descriptor_, POLLIN, 0};
    return poll(&one, 1, 0) == 0;
  }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};
