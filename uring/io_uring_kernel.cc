#include "uring/io_uring_kernel.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include "uring/check.hh"
#include "uring/probe.hh"
#include "uring/socket_state.hh"

namespace uring {
namespace {

using namespace std::chrono_literals;

// The memory of rings counts for all processes of a user together (Linux 6.14 and later, without
// CAP_IPC_LOCK), and a process that has ended, such as the one before a restart, gives back its own
// some time later.
constexpr auto kPatience = 1s;
constexpr auto kBetweenTries = 10ms;

// So much task work, a read for example, is done by one call (Linux 6.13 and later); before that,
// all.
constexpr unsigned kTaskWorkOfACall = 20;

// `attempt` gives 0 or -errno.
template <class Attempt>
int with_patience(Attempt attempt) {
  const auto end = Clock::now() + kPatience;
  int error = attempt();
  for (; error == -ENOMEM && Clock::now() < end; error = attempt()) {
    std::this_thread::sleep_for(kBetweenTries);
  }
  return error;
}

int set_up(io_uring& ring, const RingOptions& options) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_TASKRUN_FLAG |
                 IORING_SETUP_R_DISABLED;
  params.cq_entries = options.completions;
  return io_uring_queue_init_params(options.submissions, &ring, &params);
}

}  // namespace

std::expected<std::unique_ptr<IoUringKernel>, std::string> IoUringKernel::create(
    RingOptions options) {
  std::unique_ptr<IoUringKernel> kernel(new IoUringKernel);
  const int error = with_patience([&] { return set_up(kernel->ring_, options); });
  if (error < 0) {
    kernel->ring_.ring_fd = -1;
    return std::unexpected(explain_ring_error(-error));
  }
  if (options.one_shot_receive) return kernel;
  const int unknown =
      with_patience([&] { return probe_receive_byte_cap(kernel->receive_byte_cap_); });
  if (unknown == -ENOMEM) return std::unexpected(explain_ring_error(ENOMEM));
  return kernel;
}

IoUringKernel::~IoUringKernel() {
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

void IoUringKernel::enable() {
  const int error = io_uring_enable_rings(&ring_);
  CHECK(error == 0, "the ring was enabled twice");
  // Waiting for work is not waiting for a disk; kernels before 6.15 cannot be told.
  (void)io_uring_set_iowait(&ring_, false);
}

io_uring_sqe& IoUringKernel::next_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    ++enters_;
    const int submitted = io_uring_submit(&ring_);
    CHECK(submitted >= 0 || submitted == -EINTR || submitted == -EBUSY || submitted == -EAGAIN,
          "the kernel refuses the ring");
    sqe = io_uring_get_sqe(&ring_);
  }
  return *sqe;
}

void IoUringKernel::submit_and_wait(std::optional<std::chrono::nanoseconds> timeout) {
  int result;
  ++enters_;
  if (timeout && timeout->count() <= 0) {
    result = io_uring_submit_and_get_events(&ring_);
  } else if (timeout) {
    __kernel_timespec limit{timeout->count() / 1'000'000'000, timeout->count() % 1'000'000'000};
    io_uring_cqe* unused = nullptr;
    result = io_uring_submit_and_wait_timeout(&ring_, &unused, 1, &limit, nullptr);
  } else {
    result = io_uring_submit_and_wait(&ring_, 1);
  }
  CHECK(
      result >= 0 || result == -ETIME || result == -EINTR || result == -EBUSY || result == -EAGAIN,
      "the kernel refuses the ring");
  run_what_is_left();
}

// What comes last would wait a turn for each kTaskWorkOfACall before it. Where a call has gained
// few, what is left has come just now: that is for the next turn.
void IoUringKernel::run_what_is_left() {
  unsigned before = 0;
  unsigned ready = io_uring_cq_ready(&ring_);
  while (ready < kCompletionsAtOnce && ready >= before + kTaskWorkOfACall / 2 && is_work_left()) {
    before = ready;
    ++enters_;
    (void)io_uring_get_events(&ring_);
    ready = io_uring_cq_ready(&ring_);
  }
}

bool IoUringKernel::is_work_left() const {
  return (std::atomic_ref(*ring_.sq.kflags).load(std::memory_order_relaxed) & IORING_SQ_TASKRUN) !=
         0;
}

std::size_t IoUringKernel::take_completions(std::span<io_uring_cqe> completions) {
  unsigned head;
  std::size_t count = 0;
  io_uring_cqe* completion;
  io_uring_for_each_cqe(&ring_, head, completion) {
    if (count == completions.size()) break;
    completions[count++] = *completion;
  }
  io_uring_cq_advance(&ring_, static_cast<unsigned>(count));
  return count;
}

io_uring_buf_ring* IoUringKernel::add_buffer_ring(unsigned entries, std::uint16_t group) {
  io_uring_buf_ring* ring = nullptr;
  const int error = with_patience([&] {
    int failed = 0;
    ring = io_uring_setup_buf_ring(&ring_, entries, group, 0, &failed);
    return ring == nullptr ? failed : 0;
  });
  if (ring == nullptr) errno = -error;
  return ring;
}

void IoUringKernel::remove_buffer_ring(io_uring_buf_ring* ring, unsigned entries,
                                       std::uint16_t group) {
  io_uring_free_buf_ring(&ring_, ring, entries, group);
}

int IoUringKernel::open_socket(int family, const TcpOptions& options) {
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  if (family == AF_UNIX) return descriptor;
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  TcpOptions all = options;
  if (all.unsent_bytes == 0) all.unsent_bytes = kUnsentBytes;
  set_tcp_options(descriptor, all);
  return descriptor;
}

int IoUringKernel::bind_source(int descriptor, const Source& source) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  return ::bind(descriptor, source.address, source.length) == 0 ? 0 : -errno;
}

void IoUringKernel::reset_on_close(int descriptor) {
  const linger at_once{1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

int IoUringKernel::peer_address(int descriptor, sockaddr* address, socklen_t* length) {
  return getpeername(descriptor, address, length) == 0 ? 0 : -errno;
}

int IoUringKernel::own_address(int descriptor, sockaddr* address, socklen_t* length) {
  return getsockname(descriptor, address, length) == 0 ? 0 : -errno;
}

Kernel::Taking IoUringKernel::taking(int descriptor) {
  return {acknowledged_bytes(descriptor), unacknowledged_bytes(descriptor)};
}

void IoUringKernel::fill_random(std::span<std::byte> bytes) {
  CHECK(bytes.size() <= 256, "getrandom gives so many bytes at once");
  const ssize_t size = getrandom(bytes.data(), bytes.size(), 0);
  CHECK(size == static_cast<ssize_t>(bytes.size()), "the system has no random numbers");
}

// It blocks, since a ring does not wait for what is told not to; the read is the ring's.
int IoUringKernel::open_bell() {
  const int descriptor = eventfd(0, EFD_CLOEXEC);
  return descriptor >= 0 ? descriptor : -errno;
}

void IoUringKernel::ring(int bell) {
  const std::uint64_t once = 1;
  ssize_t written;
  do {
    written = ::write(bell, &once, sizeof once);
  } while (written < 0 && errno == EINTR);
  CHECK(written == sizeof once, "a bell can be rung");
}

bool IoUringKernel::client_waits(int listening_descriptor) {
  pollfd waiting{.fd = listening_descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLIN) != 0;
}

int IoUringKernel::shutdown(int descriptor, int how) {
  return ::shutdown(descriptor, how) == 0 ? 0 : -errno;
}

int IoUringKernel::close(int descriptor) {
  return ::close(descriptor) == 0 ? 0 : -errno;
}

}  // namespace uring
