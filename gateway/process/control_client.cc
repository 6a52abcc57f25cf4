#include "gateway/process/control_client.hh"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "gateway/config/address.hh"

namespace gateway {
namespace {

// A reload may wait for name servers; who takes longer than this hangs.
constexpr timeval kPatience{.tv_sec = 300, .tv_usec = 0};
// A successor may take its hour ([upgrade] patience).
constexpr timeval kUpgradePatience{.tv_sec = 3900, .tv_usec = 0};

class Connection {
 public:
  explicit Connection(const timeval& patience)
      : descriptor_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    // Of a connect, too.
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
      setsockopt(descriptor_, SOL_SOCKET, option, &patience, sizeof patience);
  }
  ~Connection() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // 0, or errno.
  int open(const config::Address& address) const {
    return connect(descriptor_, address.get(), address.length) == 0 ? 0 : errno;
  }
  bool say(std::string_view text) const {
    return send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  std::string read_to_end() const {
    std::string all;
    char piece[4096];
    for (;;) {
      const ssize_t count = recv(descriptor_, piece, sizeof piece, 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return all;
      all.append(piece, static_cast<std::size_t>(count));
    }
  }

 private:
  int descriptor_;
};

std::string cure_for(int error) {
  if (error == ENOENT || error == ECONNREFUSED) return "; no gateway runs with this control socket";
  if (error == EAGAIN) return "; it takes nobody: too many wait for it, or it hangs";
  if (error == EACCES) return "; only the gateway's user and root may use it";
  return "";
}

}  // namespace

Told ask_running_gateway(const std::string& path, const std::string& command) {
  const auto address = config::unix_address(path);
  if (!address) return {1, "gateway: error: '" + path + "' " + address.error() + "\n"};
  const Connection connection(command == "upgrade" ? kUpgradePatience : kPatience);
  const int error = connection.open(*address);
  if (error != 0) {
    return {1, "gateway: error: cannot speak to " + address->text() + ": " +
                   strerrordesc_np(error) + cure_for(error) + "\n"};
  }
  const std::string answer = connection.say(command + "\n") ? connection.read_to_end() : "";
  const std::size_t line_end = answer.find('\n');
  if (line_end == answer.npos)
    return {1, "gateway: error: " + address->text() + " gave no answer: see the log\n"};
  return {answer.substr(0, line_end) == "ok" ? 0 : 1, answer.substr(line_end + 1)};
}

}  // namespace gateway
