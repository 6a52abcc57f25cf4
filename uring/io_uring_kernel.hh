// The real kernel under a loop: one ring with deferred task work. It is made on the main thread,
// disabled, and belongs to the thread that calls enable(); no other may use it from then on.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "uring/kernel.hh"

namespace uring {

struct RingOptions {
  unsigned submissions = 1024;
  unsigned completions = 8192;
  bool one_shot_receive = false;  // as on kernels before 6.17, for tests and measurements
};

class IoUringKernel final : public Kernel {
 public:
  // Probes what it needs as it goes; the error says what is missing and its cure. Where only memory
  // for the ring is missing it is tried again for a second.
  static std::expected<std::unique_ptr<IoUringKernel>, std::string> create(RingOptions options);
  ~IoUringKernel() override;
  IoUringKernel(const IoUringKernel&) = delete;
  IoUringKernel& operator=(const IoUringKernel&) = delete;

  void enable() override;
  io_uring_sqe& next_sqe() override;
  void submit_and_wait(std::optional<std::chrono::nanoseconds> timeout) override;
  std::size_t take_completions(std::span<io_uring_cqe> completions) override;
  Clock::time_point now() override { return Clock::now(); }
  io_uring_buf_ring* add_buffer_ring(unsigned entries, std::uint16_t group) override;
  void remove_buffer_ring(io_uring_buf_ring* ring, unsigned entries, std::uint16_t group) override;
  int open_socket(int family, const TcpOptions& options) override;
  void reset_on_close(int descriptor) override;
  int bind_source(int descriptor, const Source& source) override;
  int peer_address(int descriptor, sockaddr* address, socklen_t* length) override;
  int own_address(int descriptor, sockaddr* address, socklen_t* length) override;
  Taking taking(int descriptor) override;
  void fill_random(std::span<std::byte> bytes) override;
  int shutdown(int descriptor, int how) override;
  int close(int descriptor) override;
  bool client_waits(int listening_descriptor) override;
  int open_bell() override;
  void ring(int bell) override;
  bool receive_byte_cap() const override { return receive_byte_cap_; }
  std::uint64_t enters() const override { return enters_; }

 private:
  IoUringKernel() = default;
  void run_what_is_left();
  bool is_work_left() const;

  io_uring ring_{};
  bool receive_byte_cap_ = false;
  std::uint64_t enters_ = 0;
};

}  // namespace uring
