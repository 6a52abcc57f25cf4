#include "uring/probe.hh"

#include <liburing.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace uring {
namespace {

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "unknown";
}

// Whether a filter of system calls is in force, as containers have it.
bool is_filtered(const std::filesystem::path& root) {
  std::ifstream status(root / "proc/self/status");
  for (std::string key; status >> key;) {
    int mode = 0;
    if (key == "Seccomp:") return status >> mode && mode != 0;
  }
  return true;  // nobody knows
}

std::string explain_filter(std::string_view error) {
  return "io_uring is not permitted (" + std::string(error) +
         "): a seccomp profile forbids it, as the default ones of Docker, containerd and Podman "
         "do; "
         "run the container with a profile that allows io_uring_setup, io_uring_enter and "
         "io_uring_register (or --security-opt seccomp=unconfined)";
}

std::string explain_permission(const std::filesystem::path& root) {
  const RingPermission permission = ring_permission(root);
  if (permission.disabled == 1) {
    const std::string group =
        permission.group ? "the group " + std::to_string(*permission.group) : "no group";
    return "io_uring is for root and for " + group +
           " on this machine (kernel.io_uring_disabled = 1, kernel.io_uring_group): run 'sysctl "
           "kernel.io_uring_group=GID' as root with a group that the gateway's user is in, or "
           "'sysctl kernel.io_uring_disabled=0'";
  }
  if (permission.disabled != 0) {
    return "io_uring is switched off on this machine (kernel.io_uring_disabled = " +
           std::to_string(permission.disabled) +
           "): run 'sysctl kernel.io_uring_disabled=0' as root";
  }
  if (is_filtered(root)) return explain_filter("EPERM");
  return "io_uring is not permitted (EPERM), by neither kernel.io_uring_disabled nor a seccomp "
         "profile: look for a rule of SELinux or AppArmor in the kernel's log";
}

std::string explain_absence(const std::filesystem::path& root) {
  if (is_filtered(root)) {
    return explain_filter("ENOSYS") + "; or this kernel (" + kernel_release() +
           ") was built without io_uring";
  }
  return "this kernel (" + kernel_release() +
         ") was built without io_uring (ENOSYS): it needs Linux 6.1 or newer with "
         "CONFIG_IO_URING=y";
}

void raise_to_hard(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit{};
  getrlimit(resource, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(resource, &limit);
}

}  // namespace

RingPermission ring_permission(const std::filesystem::path& root) {
  RingPermission permission;
  std::ifstream disabled(root / "proc/sys/kernel/io_uring_disabled");
  if (!(disabled >> permission.disabled)) permission.disabled = 0;
  std::ifstream group(root / "proc/sys/kernel/io_uring_group");
  if (long id = -1; group >> id && id >= 0) permission.group = static_cast<gid_t>(id);
  return permission;
}

std::string explain_ring_error(int error, const std::filesystem::path& root) {
  switch (error) {
    case EPERM:
      return explain_permission(root);
    case ENOSYS:
      return explain_absence(root);
    case EINVAL:
      return "this kernel (" + kernel_release() +
             ") is too old for the ring's options (EINVAL): it needs Linux 6.1 or newer";
    case ENOMEM: {
      rlimit limit{};
      getrlimit(RLIMIT_MEMLOCK, &limit);
      return "no memory for a ring (ENOMEM): the limit of locked memory is " +
             std::to_string(limit.rlim_cur / 1024) +
             " KiB; raise it with 'ulimit -l unlimited' or LimitMEMLOCK=infinity";
    }
    case EMFILE:
    case ENFILE:
      return "no descriptor left for a ring: raise the limit with 'ulimit -n' or LimitNOFILE=";
    default:
      return std::string("io_uring could not be set up: ") + std::strerror(error);
  }
}

std::string explain_thread_error(int error, std::string_view purpose) {
  std::string text = "no thread can be made for ";
  text.append(purpose).append(": ").append(std::strerror(error));
  if (error == EAGAIN)
    text += "; raise the limit with 'ulimit -u', LimitNPROC= or TasksMax=, or name fewer 'shards'";
  return text;
}

int probe_receive_byte_cap(bool& capped) {
  io_uring ring{};
  if (const int failed = io_uring_queue_init(4, &ring, 0); failed < 0) return failed;
  std::array<int, 2> pair{-1, -1};
  int error = 0;
  io_uring_buf_ring* buffers = io_uring_setup_buf_ring(&ring, 1, 0, 0, &error);
  std::array<char, 16> memory{};
  capped = false;
  if (buffers != nullptr && socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0 &&
      write(pair[1], "x", 1) == 1) {
    io_uring_buf_ring_add(buffers, memory.data(), memory.size(), 0, 0, 0);
    io_uring_buf_ring_advance(buffers, 1);
    io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    io_uring_prep_recv_multishot(sqe, pair[0], nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    sqe->optlen = 1;
    io_uring_cqe* completion = nullptr;
    if (io_uring_submit_and_wait(&ring, 1) >= 0 && io_uring_peek_cqe(&ring, &completion) == 0) {
      // The cap is spent by this one byte, so the receive says that it has ended.
      capped = completion->res == 1 && (completion->flags & IORING_CQE_F_MORE) == 0;
      io_uring_cqe_seen(&ring, completion);
    }
  }
  for (const int descriptor : pair) {
    if (descriptor >= 0) close(descriptor);
  }
  if (buffers != nullptr) io_uring_free_buf_ring(&ring, buffers, 1, 0);
  io_uring_queue_exit(&ring);
  return error;
}

std::size_t raise_descriptor_limit() {
  raise_to_hard(RLIMIT_NOFILE);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void raise_locked_memory_limit() {
  raise_to_hard(RLIMIT_MEMLOCK);
}

std::size_t open_descriptors() {
  // Since Linux 6.2 the folder says how many there are; else they are looked at one by one.
  struct stat folder {};
  if (stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0)
    return static_cast<std::size_t>(folder.st_size);
  std::size_t count = 0;
  std::error_code failure;
  for (std::filesystem::directory_iterator at("/proc/self/fd", failure), end; at != end;
       at.increment(failure)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // without the folder's own
}

}  // namespace uring
