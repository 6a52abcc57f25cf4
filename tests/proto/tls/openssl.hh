// The `openssl` command line over a Unix socket, for the tests of this folder. The test's own side
// of the socket blocks; a deadline on it turns a hang into a failure.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/proto/tls/peers.hh"
#include "tests/temporary_folder.hh"

namespace tls::test {

inline constexpr int kPatienceMs = 20000;

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; at += word.size()) ++found;
  return found;
}

// A folder of its own for files that openssl reads and writes.
class OpenSsl : public testing::Test {
 protected:
  ~OpenSsl() override {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    if (socket_ >= 0) ::close(socket_);
  }

  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
    return file(name);
  }
  // Runs it in the folder; its output is in the file `log`.
  bool run(const std::string& arguments) const {
    const std::string line =
        "cd " + folder_ + " && openssl " + arguments + " >>log 2>&1 </dev/null";
    return std::system(line.c_str()) == 0;
  }
  // Starts `openssl ARGUMENTS` with its output in `log` and its standard input on a pipe.
  void start(const std::string& arguments) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[0], 0);
      const std::string line = "cd " + folder_ + " && exec openssl " + arguments + " >log 2>&1";
      execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      _exit(127);
    }
    ::close(ends[0]);
    to_child_ = ends[1];
  }
  void tell(const std::string& line) const {
    ASSERT_EQ(::write(to_child_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }
  static sockaddr_un address(const std::string& path) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    return where;
  }
  // Takes one connection at the file `socket`.
  void listen_then(const std::string& client_arguments) {
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un where = address(file("socket"));
    ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    start(client_arguments);
    pollfd waiting{.fd = listener, .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&waiting, 1, kPatienceMs), 1) << read_file(file("log"));
    socket_ = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listener);
  }
  // Connects to the file `socket` as soon as somebody listens there.
  void connect_to(const std::string& server_arguments) {
    start(server_arguments);
    const sockaddr_un where = address(file("socket"));
    wait_for([&] {
      if (socket_ >= 0) ::close(socket_);
      socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      return connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
    });
  }
  template <typename Condition>
  static void wait_for(Condition condition) {
    for (int tries = 0; tries < kPatienceMs / 10; ++tries) {
      if (condition()) return;
      poll(nullptr, 0, 10);
    }
    FAIL();
  }
  // Moves bytes until `done`, or until the peer has ended.
  template <typename Done>
  void pump(Peer& peer, Done done) {
    char buffer[5000];
    while (true) {
      const std::vector<std::byte> out = peer.wire.take();
      if (!out.empty()) {
        ASSERT_EQ(send(socket_, out.data(), out.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(out.size()));
      }
      if (done() || peer.status == Progress::Status::kClosed ||
          peer.status == Progress::Status::kFailed)
        return;
      pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
      ASSERT_EQ(poll(&waiting, 1, kPatienceMs), 1) << read_file(file("log"));
      const ssize_t size = recv(socket_, buffer, sizeof buffer, 0);
      if (size <= 0) {
        peer.status = peer.session->end_of_stream();
        return;
      }
      take(peer, {buffer, static_cast<std::size_t>(size)});
    }
  }

  virtual void take(Peer& peer, std::string_view bytes) { peer.open(proto::as_bytes(bytes)); }
  // Until the child has ended; then another one may come.
  void await_end() {
    waitpid(std::exchange(child_, -1), nullptr, 0);
    ::close(to_child_);
    ::close(std::exchange(socket_, -1));
    unlink(file("socket").c_str());
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  pid_t child_ = -1;
  int to_child_ = -1;
  int socket_ = -1;
};

}  // namespace tls::test
