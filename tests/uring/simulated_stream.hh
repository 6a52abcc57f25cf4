// A simulated TCP connection: two bounded byte queues between a descriptor of SimulatedKernel (the
// local end, the runtime's) and a peer, which the test plays. It behaves as Linux does where that
// hurts: a reset destroys what the peer has not read, a close with unread bytes is a reset, the
// first send to a peer that is gone vanishes.
//
//   peer.write -> [to_local_, at most `window`] -> local_receive
//   peer.read  <- [to_peer_,  at most `window`] <- local_send
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

class SimulatedStream {
 public:
  explicit SimulatedStream(std::size_t window) : window_(window) {}

  // The peer's end. write() takes what fits into the window, and gives how much that was.
  std::size_t write(std::span<const std::byte> bytes);
  std::vector<std::byte> read(std::size_t most);
  std::size_t unread() const { return to_peer_.size(); }
  std::uint64_t taken() const { return taken_; }  // by read(), in all
  std::size_t unreceived() const { return to_local_.size(); }
  // How much write() would take; nobody keeps the peer from writing to who has gone.
  std::size_t room() const {
    if (peer_finished_ || reset_ || saw_reset_) return 0;
    return local_closed_ ? window_ : window_ - to_local_.size();
  }
  void shutdown_write() { peer_finished_ = true; }
  void close();
  void reset();
  bool finished() const { return peer_finished_ || reset_; }
  bool finished_by_reset() const { return reset_; }
  // Where it comes from, as far as it says; 0 otherwise.
  void come_from(std::uint16_t port, std::uint32_t address = 0x7f00'0001) {
    port_ = port;
    address_ = address;
  }
  std::uint16_t port() const { return port_; }
  std::uint32_t address() const { return address_; }  // of IPv4, 127.0.0.1 unless it says so

  // The local end's FIN has been read, behind all its bytes; or its RST has come instead.
  bool saw_end() const { return local_finished_ && to_peer_.empty() && !saw_reset_; }
  bool saw_reset() const { return saw_reset_; }

  // The local end, as the kernel performs it: bytes, 0 at the end of the stream, -EAGAIN where a
  // system call would block, or another -errno.
  int local_receive(std::span<std::byte> bytes);
  int local_send(std::span<const std::byte> bytes);
  bool local_hung_up() const { return finished() || local_reads_no_more_; }
  // Both directions have ended, by a reset or one after the other.
  bool local_all_over() const {
    return reset_ || (local_finished_ && (peer_finished_ || local_reads_no_more_));
  }
  void local_shutdown(int how);
  void local_close(bool with_reset);
  bool local_is_closed() const { return local_closed_; }

  // Whether these would not block.
  bool local_receivable() const;
  bool local_sendable() const;

 private:
  std::size_t window_;
  std::uint16_t port_ = 0;
  std::uint32_t address_ = 0x7f00'0001;
  std::deque<std::byte> to_local_;
  std::deque<std::byte> to_peer_;
  std::uint64_t taken_ = 0;
  int local_error_ = 0;  // told once, to the next receive or send
  bool peer_finished_ = false;
  bool peer_closed_ = false;
  bool reset_ = false;  // by the peer
  bool local_reads_no_more_ = false;
  bool local_finished_ = false;
  bool local_closed_ = false;
  bool saw_reset_ = false;
};
