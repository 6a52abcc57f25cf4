#include "tests/uring/simulated_stream.hh"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace {

std::size_t append(std::deque<std::byte>& queue, std::span<const std::byte> bytes,
                   std::size_t window) {
  const std::size_t taken = std::min(bytes.size(), window - queue.size());
  queue.insert(queue.end(), bytes.begin(), bytes.begin() + taken);
  return taken;
}

}  // namespace

std::size_t SimulatedStream::write(std::span<const std::byte> bytes) {
  if (peer_finished_ || reset_ || saw_reset_) return 0;
  if (local_closed_) {
    // Nobody is there: the answer is a RST, which takes with it what was not read.
    saw_reset_ = true;
    to_peer_.clear();
    return 0;
  }
  return append(to_local_, bytes, window_);
}

std::vector<std::byte> SimulatedStream::read(std::size_t most) {
  const auto end = to_peer_.begin() + static_cast<long>(std::min(most, to_peer_.size()));
  std::vector<std::byte> bytes(to_peer_.begin(), end);
  to_peer_.erase(to_peer_.begin(), end);
  taken_ += bytes.size();
  return bytes;
}

void SimulatedStream::close() {
  if (!to_peer_.empty()) {
    reset();
  } else {
    peer_finished_ = true;
    peer_closed_ = true;
  }
}

void SimulatedStream::reset() {
  if (reset_ || saw_reset_) return;
  reset_ = true;
  local_error_ = ECONNRESET;
  to_peer_.clear();
}

bool SimulatedStream::local_receivable() const {
  return !to_local_.empty() || local_error_ != 0 || local_hung_up();
}

int SimulatedStream::local_receive(std::span<std::byte> bytes) {
  if (!to_local_.empty()) {
    const std::size_t taken = std::min(bytes.size(), to_local_.size());
    const auto end = to_local_.begin() + static_cast<long>(taken);
    std::copy(to_local_.begin(), end, bytes.begin());
    to_local_.erase(to_local_.begin(), end);
    return static_cast<int>(taken);
  }
  if (local_error_ != 0) return -std::exchange(local_error_, 0);
  return local_hung_up() ? 0 : -EAGAIN;
}

bool SimulatedStream::local_sendable() const {
  return to_peer_.size() < window_ || local_error_ != 0 || local_finished_ || reset_;
}

int SimulatedStream::local_send(std::span<const std::byte> bytes) {
  if (local_error_ != 0) return -std::exchange(local_error_, 0);
  if (local_finished_ || reset_) return -EPIPE;
  if (peer_closed_) {
    reset_ = true;
    local_error_ = EPIPE;
    return static_cast<int>(bytes.size());
  }
  const std::size_t taken = append(to_peer_, bytes, window_);
  return taken > 0 ? static_cast<int>(taken) : -EAGAIN;
}

void SimulatedStream::local_shutdown(int how) {
  if (how != SHUT_RD) local_finished_ = true;
  if (how != SHUT_WR) local_reads_no_more_ = true;
}

void SimulatedStream::local_close(bool with_reset) {
  local_closed_ = true;
  local_finished_ = true;
  if (with_reset || !to_local_.empty()) {
    saw_reset_ = true;
    to_peer_.clear();
  }
}
