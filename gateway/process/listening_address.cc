#include "gateway/process/listening_address.hh"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "uring/capabilities.hh"

namespace gateway {
namespace {

constexpr std::chrono::milliseconds kPauseMin{2};

struct Refusal {
  std::string text;
  bool in_use = false;  // by somebody who may be about to go
};

// A bound Unix socket, and the mode that its file would usually have.
struct BoundUnix {
  int descriptor;
  mode_t usual_mode;
};

std::string explain(const config::Address& address, int error) {
  std::string text = "cannot listen on " + address.text() + ": " + strerrordesc_np(error);
  if (error == EMFILE || error == ENFILE)
    text += "; raise the limit with 'ulimit -n' or LimitNOFILE=";
  if (address.is_unix()) {
    if (error == ENOENT) text += "; make its folder first";
    if (error == EACCES) text += "; let the gateway's user write to its folder";
    return text;
  }
  if (error == EADDRINUSE) text += "; another process has it: see 'ss -ltnp'";
  if (error == EACCES) text += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  if (error == EADDRNOTAVAIL) text += "; this machine does not have that address";
  return text;
}

void set(int descriptor, int level, int option, int value) {
  setsockopt(descriptor, level, option, &value, sizeof value);
}

// A bound socket, or -errno. `shared`: with others of ours on the same address, which the kernel
// lets it only where all are of one user: whom the process will be.
int bind_socket(const config::Address& address, bool shared, std::optional<uid_t> owner) {
  const int descriptor = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
  set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it
  if (address.family() == AF_INET6) set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  const bool owned = !owner || fchown(descriptor, *owner, static_cast<gid_t>(-1)) == 0;
  if (owned && bind(descriptor, address.get(), address.length) == 0) return descriptor;
  const int error = errno;
  close(descriptor);
  return -error;
}

std::unexpected<Refusal> refusal(const config::Address& address, int error) {
  return std::unexpected(Refusal{explain(address, error), error == EADDRINUSE});
}

// Tries again, with longer and longer pauses, while somebody has the address.
template <class Attempt>
auto try_for(std::chrono::milliseconds patience, Attempt attempt)
    -> std::expected<typename decltype(attempt())::value_type, std::string> {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (auto pause = kPauseMin;; pause *= 2) {
    auto result = attempt();
    if (result) return *result;
    const auto left = until - std::chrono::steady_clock::now();
    if (!result.error().in_use || left <= left.zero())
      return std::unexpected(std::move(result.error().text));
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, left));
  }
}

std::expected<int, Refusal> bind_alone(const config::Address& address) {
  const int descriptor = bind_socket(address, false, std::nullopt);
  if (descriptor < 0) return refusal(address, -descriptor);
  return descriptor;
}

// Makes way for a Unix socket: removes one that nobody accepts at any more, and nothing else.
std::expected<void, Refusal> remove_stale(const config::Address& address) {
  const std::string path(address.unix_path());
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};  // a folder that is not there shows when the socket is bound
    return refusal(address, errno);
  }
  if (!S_ISSOCK(status.st_mode))
    return std::unexpected(
        Refusal{"cannot listen on " + address.text() +
                ": there is a file that is no socket; name another path, or remove it"});
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return refusal(address, errno);
  const int error = connect(probe, address.get(), address.length) == 0 ? 0 : errno;
  close(probe);
  if (error == ECONNREFUSED) {
    if (unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return refusal(address, errno);
  }
  if (error == ENOENT) return {};
  if (error != 0 && error != EAGAIN) return refusal(address, error);
  return std::unexpected(Refusal{
      "cannot listen on " + address.text() + ": another process accepts there; see 'ss -lxp'",
      true});
}

// Binds so that the file is nobody's to use until its mode is set; gives the mode that the process
// would have made it with, or -errno.
int bind_closed(int descriptor, const config::Address& address) {
  const mode_t mask = umask(0777);
  const int bound = bind(descriptor, address.get(), address.length);
  const int error = errno;
  umask(mask);
  return bound == 0 ? static_cast<int>(0777 & ~mask) : -error;
}

// That such a file gets. While there is one thread: the mask is the process's.
mode_t usual_mode() {
  const mode_t mask = umask(0777);
  umask(mask);
  return 0777 & ~mask;
}

// A bound Unix socket whose file is still closed.
std::expected<BoundUnix, Refusal> bind_unix(const config::Address& address) {
  if (auto free = remove_stale(address); !free) return std::unexpected(std::move(free.error()));
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return refusal(address, errno);
  const int mode = bind_closed(descriptor, address);
  if (mode >= 0) return BoundUnix{descriptor, static_cast<mode_t>(mode)};
  close(descriptor);
  return refusal(address, -mode);
}

// The owner first: before that the mode would open the file to the wrong one. What is so already is
// left alone: a reload may not be allowed it any more. `descriptor` was opened with O_PATH, so that
// no other file can be meant by its name meanwhile.
int give_away(int descriptor, const config::UnixFile& file, mode_t usual_mode) {
  struct stat now {};
  if (fstat(descriptor, &now) != 0) return errno;
  const uid_t owner = file.owner.value_or(now.st_uid);
  const gid_t group = file.group.value_or(now.st_gid);
  const bool changes_owner = owner != now.st_uid || group != now.st_gid;
  if (changes_owner && fchownat(descriptor, "", owner, group, AT_EMPTY_PATH) != 0) return errno;
  const mode_t mode = file.mode.value_or(usual_mode);
  if ((now.st_mode & 07777) == mode) return 0;
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  return chmod(path.c_str(), mode) == 0 ? 0 : errno;
}

std::unexpected<std::string> not_given(const config::Address& address) {
  return std::unexpected("cannot give " + address.text() +
                         " to the owner that the configuration names: only root may; leave 'owner' "
                         "out, or name a group that the gateway's user is in");
}

bool is_in_group(gid_t group) {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
  const int count = getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return group == getegid() || std::ranges::find(groups, group) != groups.end();
}

// Whether give_away() would be allowed it: as chown(2) says.
bool may_give_away(const std::string& path, const config::UnixFile& file) {
  if (uring::has_capability(CAP_CHOWN)) return true;
  if (file.owner.value_or(geteuid()) != geteuid()) return false;
  if (!file.group || is_in_group(*file.group)) return true;
  // A folder may give its own group to what is made in it.
  struct stat folder {};
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return stat(parent.c_str(), &folder) == 0 && (folder.st_mode & S_ISGID) != 0 &&
         folder.st_gid == *file.group;
}

}  // namespace

ListeningAddress::ListeningAddress(const config::Address& address) : address_(address) {}

ListeningAddress::~ListeningAddress() {
  if (!others_have_it_) remove_file();
  for (const int descriptor : descriptors_) close(descriptor);
}

void ListeningAddress::remove_file() {
  if (has_its_file()) unlink(file_->path.c_str());
  file_.reset();
}

bool ListeningAddress::has_its_file() const {
  struct stat status {};
  return file_ && lstat(file_->path.c_str(), &status) == 0 && status.st_dev == file_->device &&
         status.st_ino == file_->inode;
}

void ListeningAddress::take_over() {
  if (is_left_to_us_) others_have_it_ = false;
}

void ListeningAddress::hand_over() {
  others_have_it_ = true;
  file_.reset();
}

bool ListeningAddress::is_ours_alone() const {
  return !others_have_it_ && (!address_.is_unix() || has_its_file());
}

// A SYN that is dropped comes again after a second: it meets the successor, or nobody. A listening
// socket that was merely closed would reset those that it has let in meanwhile.
void ListeningAddress::refuse_new() {
  if (others_have_it_) return;
  if (address_.is_unix()) return remove_file();
  constexpr std::uint8_t kSyn = 0x02, kAck = 0x10, kFlagsAt = 13;  // RFC 9293 section 3.1
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsAt),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn | kAck),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),           // dropped
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),  // passes, whole
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(code)), code};
  for (const int descriptor : descriptors_) {
    setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
  }
}

std::unique_ptr<ListeningAddress> ListeningAddress::adopt(const config::Address& address,
                                                          InheritedSockets::Taken sockets,
                                                          const uring::TcpOptions& tcp) {
  std::unique_ptr<ListeningAddress> made(new ListeningAddress(address));
  made->others_have_it_ = true;
  made->is_left_to_us_ = sockets.alone;
  for (const int descriptor : sockets.descriptors) {
    if (address.is_unix()) continue;
    set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    // What a predecessor has set holds no more; what a service manager has does, where nothing else
    // is asked for.
    if (sockets.alone) uring::clear_tcp_options(descriptor);
  }
  made->descriptors_ = std::move(sockets.descriptors);
  made->set_tcp(tcp);
  if (!sockets.alone || !address.is_unix()) return made;
  made->usual_mode_ = usual_mode();
  struct stat status {};
  const std::string path(address.unix_path());
  if (lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode))
    made->file_ = {path, status.st_dev, status.st_ino};
  return made;
}

ListeningAddress::Made ListeningAddress::bind(const config::Address& address, unsigned count,
                                              const Terms& terms) {
  std::unique_ptr<ListeningAddress> made(new ListeningAddress(address));
  auto bound = address.is_unix() ? made->bind_unix_socket(terms) : made->bind_ports(count, terms);
  if (!bound) return std::unexpected(std::move(bound.error()));
  return made;
}

// Sockets that share a port would silently share it with another gateway, too: so one that does not
// share tries first.
std::expected<void, std::string> ListeningAddress::bind_ports(unsigned count, const Terms& terms) {
  if (!terms.beside_ours) {
    const auto trial = try_for(terms.patience, [&] { return bind_alone(address_); });
    if (!trial) return std::unexpected(trial.error());
    close(*trial);
  }
  for (unsigned index = 0; index < count; ++index) {
    const int descriptor = bind_socket(address_, true, terms.owner);
    if (descriptor < 0) return std::unexpected(explain(address_, -descriptor));
    descriptors_.push_back(descriptor);
  }
  set_tcp(terms.tcp);
  return {};
}

std::expected<void, std::string> ListeningAddress::bind_unix_socket(const Terms& terms) {
  const auto bound = try_for(terms.patience, [&] { return bind_unix(address_); });
  if (!bound) return std::unexpected(bound.error());
  descriptors_.push_back(bound->descriptor);
  usual_mode_ = bound->usual_mode;

  const std::string path(address_.unix_path());
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return std::unexpected(explain(address_, errno));
  file_ = {path, status.st_dev, status.st_ino};
  return give_file(terms.unix_file);
}

std::expected<void, std::string> ListeningAddress::give_file(const config::UnixFile& file) {
  if (!file_) return {};
  const int descriptor = open(file_->path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat status {};
  const bool ours = descriptor >= 0 && fstat(descriptor, &status) == 0 &&
                    status.st_dev == file_->device && status.st_ino == file_->inode;
  // One that is gone, or is somebody else's by now, is nothing to be given.
  const int error = ours ? give_away(descriptor, file, usual_mode_) : 0;
  if (descriptor >= 0) close(descriptor);
  if (error == EPERM) return not_given(address_);
  if (error != 0) return std::unexpected(explain(address_, error));
  return {};
}

ListeningAddress::Made ListeningAddress::reserve(const config::Listener& listener, unsigned count) {
  const config::Address& address = listener.address;
  if (address.is_unix() && !may_give_away(std::string(address.unix_path()), listener.unix_file))
    return not_given(address);
  std::unique_ptr<ListeningAddress> made(new ListeningAddress(address));
  for (unsigned index = 0; index < (address.is_unix() ? 1 : count); ++index) {
    const int descriptor = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return std::unexpected(explain(address, errno));
    made->descriptors_.push_back(descriptor);
  }
  return made;
}

void ListeningAddress::set_tcp(const uring::TcpOptions& tcp) {
  if (address_.is_unix()) return;
  for (const int descriptor : descriptors_) uring::set_tcp_options(descriptor, tcp, tcp_);
  tcp_ = tcp;
}

void ListeningAddress::set_tcp_again() {
  if (address_.is_unix()) return;
  for (const int descriptor : descriptors_) {
    if (is_ours_alone()) uring::clear_tcp_options(descriptor);
    uring::set_tcp_options(descriptor, tcp_);
  }
}

std::expected<void, std::string> ListeningAddress::listen() {
  for (const int descriptor : descriptors_) {
    if (::listen(descriptor, kBacklog) != 0) return std::unexpected(explain(address_, errno));
  }
  return {};
}

}  // namespace gateway
