// What Linux tells of sockets whose peers read late, over loopback and over a Unix socket.
#include "uring/socket_state.hh"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

using uring::acknowledged_bytes;
using uring::unacknowledged_bytes;

namespace {

class Pair {
 public:
  // The reader has little room, and so has the writer.
  explicit Pair(int family) {
    if (family == AF_UNIX) {
      std::array<int, 2> ends;
      EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
      writer = ends[0];
      reader = ends[1];
      return;
    }
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int little = 4096;
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(listener, general, length), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, general, &length), 0);
    writer = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(writer, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    EXPECT_EQ(connect(writer, general, length), 0);
    reader = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    EXPECT_GE(reader, 0);
    close(listener);
  }
  ~Pair() {
    close(writer);
    close(reader);
  }

  // As much as the two kernels take.
  void fill() const {
    const std::vector<char> bytes(1000, 'x');
    while (send(writer, bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) continue;
  }
  void empty() const {
    std::vector<char> bytes(65536);
    while (recv(reader, bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) continue;
  }

  int writer;
  int reader;
};

TEST(SocketState, CountsWhatATcpPeerHasAcknowledged) {
  const Pair pair(AF_INET);
  const auto before = acknowledged_bytes(pair.writer);
  ASSERT_TRUE(before);
  EXPECT_EQ(unacknowledged_bytes(pair.writer), 0u);
  // An acknowledgement may take its time; what has no room stays.
  std::uint64_t taken = 0;
  do {
    pair.fill();
    taken = *acknowledged_bytes(pair.writer) - *before;
  } while (taken == 0);
  while (unacknowledged_bytes(pair.writer) == 0) pair.fill();
  while (unacknowledged_bytes(pair.writer) > 0) pair.empty();
  EXPECT_GT(*acknowledged_bytes(pair.writer) - *before, taken);
}

TEST(SocketState, OfAUnixSocketTellsOnlyWhatIsNotRead) {
  const Pair pair(AF_UNIX);
  EXPECT_EQ(unacknowledged_bytes(pair.writer), 0u);
  ASSERT_EQ(send(pair.writer, "1234", 4, 0), 4);
  EXPECT_FALSE(acknowledged_bytes(pair.writer));
  EXPECT_GE(unacknowledged_bytes(pair.writer), 4u);
  pair.empty();
  EXPECT_EQ(unacknowledged_bytes(pair.writer), 0u);
}

TEST(SocketState, OfSomethingElseTellsNothing) {
  std::array<int, 2> ends;
  ASSERT_EQ(pipe(ends.data()), 0);
  EXPECT_FALSE(acknowledged_bytes(ends[1]));
  EXPECT_EQ(unacknowledged_bytes(ends[1]), 0u);
  for (const int end : ends) close(end);
}

}  // namespace
