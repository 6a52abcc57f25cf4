// One connected stream socket of a loop: at most one receive and one send in flight.
//
//   arm(credit) -> [kernel fills buffers] -> received queue -> take() ... give_back()
//   send(bytes) -> [kernel] -> the sent Ready runs; bytes stay valid and in place until then
//
// Credit is how many bytes may arrive until it is armed again. Two forms behind one interface: a
// multishot receive capped at that many bytes, or one shot of that length on kernels that know no
// cap. A socket takes small buffers until a receive fills one, then bulk ones.
//
// close() ends it in order: shutdown(2), every terminal completion awaited, close(2). A socket is
// destroyed closed.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "uring/loop.hh"
#include "uring/task.hh"

namespace uring {

class Socket {
 public:
  // Small receives that fill less than this on average make a bulk socket small again.
  static constexpr std::size_t kBulkMeanBytes = 4096;
  static constexpr unsigned kBulkTrial = 8;
  static constexpr std::size_t kBulkCreditMin = 128 * 1024;
  // A bulk socket that receives nothing for so long becomes small again, so that the room reserved
  // for it goes to others.
  static constexpr std::chrono::seconds kBulkQuiet{1};

  // Of the owner, which has the socket as a part: `received` runs when bytes, the end of the stream
  // or an error are there, `sent` when the send in flight has ended.
  struct Handlers {
    const void* owner;
    Ready::Run received;
    Ready::Run sent;
  };
  // It receives into the loop's buffers.
  Socket(Loop& loop, const Handlers& handlers);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Takes a connected descriptor; the socket closes it.
  void adopt(int descriptor);

  // A new descriptor of the address's family, connecting from `source`, or the one that was adopted
  // (bound, say).
  // `connected` is set when it has ended; then connect_error() says how (0, or errno; ECANCELED
  // after cancel_connect()).
  void connect(const sockaddr* address, socklen_t length, Event& connected,
               const TcpOptions& options = {}, const Source& source = {});
  void cancel_connect() {
    if (connecting_) loop_.cancel(connect_or_watch_);
  }
  int connect_error() const { return connect_error_; }

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  // How a receive is armed: on and on until the credit is spent, or for the next bytes only.
  enum class Arming : std::uint8_t { kStream, kOnce };

  // `room` bytes can be taken, what is overshot included; at least one small buffer's worth. Of the
  // room `held` bytes are taken already, by what has been received and is not whole yet. Nothing
  // happens while armed. Gives the number of bytes that may arrive at the most.
  std::size_t arm(std::size_t room, Arming arming, std::size_t held = 0);
  // From arm() until the receive has ended; waiting for a buffer is part of it.
  bool armed() const { return receive_.in_flight() || waits_for_buffer(); }
  // The kernel would have told of bytes, or of the end: and has not. Who waits for a buffer knows
  // nothing.
  bool quiet() const {
    return receive_.in_flight() && received_queue_.empty() && !end_of_stream_ &&
           receive_error_ == 0;
  }
  // Ends the receive early; `received` runs when it has ended. What arrives until then is nobody's.
  void disarm();
  // A kStream receive ends with what has arrived by then, which is received as ever; one that waits
  // for a buffer, with the first bytes.
  void stop_streaming();
  // As disarm(), where nobody wants what was received either: its buffers go back now, and those of
  // what arrives until then at once. The next arm() ends that.
  void discard();
  // Bytes that may still arrive, of what was armed and not disarmed.
  std::size_t may_arrive() const { return armed() && credit_ > 0 ? credit_ + overshoot() : 0; }

  // What runs when something has been received; its owner may run it, too.
  Ready& received() { return received_; }

  bool has_received() const { return !received_queue_.empty(); }
  Received take() { return buffers().pop(received_queue_); }
  void give_back(BufferId buffer) { buffers().give_back(buffer); }

  // After all that was received: the peer's FIN, or the errno of a failed receive.
  bool end_of_stream() const { return end_of_stream_ && received_queue_.empty(); }
  int receive_error() const { return received_queue_.empty() ? receive_error_ : 0; }

  // `bytes` must stay until `sent` runs. A send either takes all of them or fails for good.
  void send(std::span<const std::byte> bytes);
  // Until `sent` has run: only then are the bytes let go of.
  bool sending() const { return send_.in_flight() || sent_.queued(); }
  int send_error() const { return send_error_; }
  // Of the last send, how many bytes the kernel has taken.
  std::size_t sent_bytes() const { return sent_bytes_; }

  // `left` runs once when a watched peer has hung up, behind what came before that in the same
  // turn. After forget_left() it does not run, whatever has happened.
  void tell_left_to(Ready& left) {
    forget_left();
    left_ = &left;
  }
  void forget_left() {
    if (left_ != nullptr) std::exchange(left_, nullptr)->take_back();
    left_told_ = false;
  }
  // There is somebody, whom nothing has been told.
  bool left_is_awaited() const { return left_ != nullptr && !left_told_; }
  // For when the peer has closed (its stream, or all), or only for when all is over, as after a
  // reset. Nothing is received by it.
  enum class Hangup : std::uint8_t { kOfStream, kOfAll };
  void watch_hangup(Hangup of = Hangup::kOfStream);
  void unwatch_hangup();
  // What was watched for was a reset: the peer has not only ended its own stream.
  bool peer_gone() const { return peer_gone_; }

  void shutdown_write();

  // Stops everything; pending awaits run their Readys.
  void shutdown_both();

  // Let close(2) send a RST instead of a FIN: the peer is to see that this is no proper end.
  void reset_on_close();

  // Waits for all that is in flight, which shutdown has ended, and for the Readys that are queued;
  // then closes.
  Task<> close();

 private:
  void on_received(Completion completion);
  void on_sent(Completion completion);
  void on_connected_or_left(Completion completion);
  void on_connected(Completion completion);
  void on_left(Completion completion);
  void on_fed();
  void on_quiet();
  void issue_receive();
  void issue_watch();
  // What it has only while it connects, waits for a buffer, has bulk ones, or closes.
  class Occasional;
  Occasional& occasional();
  bool waits_for_buffer() const;
  void stop_waiting_for_buffer();
  void choose_group(std::size_t room);
  // The cap of a multishot receive may be overshot by less than one buffer.
  std::size_t overshoot() const { return once_ ? 0 : buffers().bytes_of(armed_group_); }
  bool busy() const;
  ReceiveBuffers& buffers() const { return loop_.receive_buffers(); }
  bool any_queued() const;
  void note_idle();

  using Errno = std::uint16_t;
  // Of -errno, as a completion says it.
  static Errno errno_of(int result) { return static_cast<Errno>(-result); }

  Loop& loop_;
  Ready received_;
  Ready sent_;
  Ready* left_ = nullptr;

  OperationMember<&Socket::on_received> receive_{*this};
  OperationMember<&Socket::on_sent> send_{*this};
  // Nothing is watched before it is connected.
  OperationMember<&Socket::on_connected_or_left> connect_or_watch_{*this};
  BlockPool::Owned<Occasional> occasional_;
  ReceivedQueue received_queue_;

  int descriptor_ = -1;
  std::uint32_t sent_bytes_ = 0;  // or, while it flies, what the send is of
  std::uint32_t credit_ = 0;      // bytes that may still arrive of what was armed
  Errno connect_error_ = 0;
  Errno receive_error_ = 0;
  Errno send_error_ = 0;
  BufferGroup group_ : 1 = BufferGroup::kSmall;
  BufferGroup armed_group_ : 1 = BufferGroup::kSmall;
  bool wants_bulk_ : 1 = false;
  bool received_lately_ : 1 = false;
  bool discards_ : 1 = false;
  bool once_ : 1 = false;
  // Something may lie in the kernel: else a receive that looks for it first looks in vain.
  bool more_waits_ : 1 = true;
  bool end_of_stream_ : 1 = false;
  Hangup watched_ : 1 = Hangup::kOfStream;
  bool left_told_ : 1 = false;
  bool connecting_ = false;
  bool watching_ : 1 = false;
  bool peer_gone_ : 1 = false;
  bool resets_on_close_ : 1 = false;
  bool shut_down_ : 1 = false;
};

static_assert(sizeof(Socket) <= 136);

}  // namespace uring
