#include "uring/socket.hh"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace uring {
namespace {

// One receive's and one send's most: their counts are kept in 32 bits, and the kernel's are ints.
constexpr std::size_t kOperationBytesMax = 1u << 30;

}  // namespace

class Socket::Occasional {
 public:
  explicit Occasional(Socket& socket) : quiet(*this, socket.loop_.timers()), socket_(socket) {}

  // Bulk buffers are too large for what comes; asked between two receives.
  bool is_seldom_full() {
    if (bulk_receives <= kBulkTrial) return false;
    const bool is_so = bulk_bytes < kBulkMeanBytes * bulk_receives;
    bulk_bytes = bulk_receives = 0;
    return is_so;
  }
  bool waits_for_buffer() const { return starved.waiting() || fed.queued(); }
  BlockPool& frames() { return socket_.loop_.frames(); }

 private:
  void on_fed() { socket_.on_fed(); }
  void on_quiet() { socket_.on_quiet(); }

 public:
  Event* connected = nullptr;    // while it connects
  Event* idle = nullptr;         // while it closes
  std::uint32_t bulk_bytes = 0;  // received since the last look at the mean
  std::uint32_t bulk_receives = 0;
  ReadyMember<&Occasional::on_fed> fed{*this};
  Starved starved{fed};
  TimerMember<&Occasional::on_quiet> quiet;  // of a bulk socket

 private:
  Socket& socket_;
};

Socket::Occasional& Socket::occasional() {
  if (!occasional_) occasional_ = loop_.frames().make<Occasional>(*this);
  return *occasional_;
}

bool Socket::waits_for_buffer() const {
  return occasional_ && occasional_->waits_for_buffer();
}

Socket::Socket(Loop& loop, const Handlers& handlers)
    : loop_(loop),
      received_(handlers.received, handlers.owner),
      sent_(handlers.sent, handlers.owner) {}

Socket::~Socket() {
  CHECK(descriptor_ < 0, "a socket is closed before it is destroyed");
  buffers().give_back_all(received_queue_);
}

void Socket::adopt(int descriptor) {
  CHECK(descriptor_ < 0, "a socket has one descriptor");
  descriptor_ = descriptor;
}

void Socket::connect(const sockaddr* address, socklen_t length, Event& connected,
                     const TcpOptions& options, const Source& source) {
  CHECK(!connect_or_watch_.in_flight(), "a socket connects once");
  if (descriptor_ < 0) descriptor_ = loop_.kernel().open_socket(address->sa_family, options);
  if (descriptor_ < 0) {
    connect_error_ = errno_of(descriptor_);
    descriptor_ = -1;
    connected.set();
    return;
  }
  const int bound = source.address == nullptr ? 0 : loop_.kernel().bind_source(descriptor_, source);
  if (bound < 0) {
    connect_error_ = errno_of(bound);
    connected.set();
    return;
  }
  connecting_ = true;
  occasional().connected = &connected;
  io_uring_sqe& sqe = loop_.prepare(connect_or_watch_);
  io_uring_prep_connect(&sqe, descriptor_, address, length);
}

void Socket::on_connected_or_left(Completion completion) {
  if (std::exchange(connecting_, false)) {
    on_connected(completion);
  } else {
    on_left(completion);
  }
}

void Socket::on_connected(Completion completion) {
  connect_error_ = completion.result < 0 ? errno_of(completion.result) : Errno{0};
  std::exchange(occasional_->connected, nullptr)->set();
  note_idle();
}

void Socket::choose_group(std::size_t room) {
  if (group_ == BufferGroup::kBulk && occasional_ && occasional_->is_seldom_full()) {
    group_ = BufferGroup::kSmall;
  } else if (wants_bulk_) {
    group_ = BufferGroup::kBulk;
  }
  if (group_ == BufferGroup::kSmall) occasional_.reset();
  wants_bulk_ = false;
  const bool bulk_fits = room >= kBulkCreditMin;
  armed_group_ = bulk_fits ? group_ : BufferGroup::kSmall;
}

std::size_t Socket::arm(std::size_t room, Arming arming, std::size_t held) {
  if (armed() || shut_down_) return 0;
  CHECK(received_queue_.empty(), "what was received is taken before more is asked for");
  discards_ = false;
  room = room > held ? room - held : 1;
  choose_group(room);
  if (armed_group_ == BufferGroup::kBulk) {
    Timer& quiet = occasional().quiet;
    if (!quiet.armed()) quiet.arm(loop_.now() + kBulkQuiet);
  } else {
    // With small buffers it may wait for long, so it takes what everybody may have.
    const std::size_t small_bytes = buffers().bytes_of(BufferGroup::kSmall);
    const std::size_t floor = BatchPool::kShareFloor;
    room = std::min(room, std::max(floor - std::min(held, floor), small_bytes));
  }
  const std::size_t buffer_bytes = buffers().bytes_of(armed_group_);
  once_ = arming == Arming::kOnce || !loop_.kernel().receive_byte_cap() || room < 2 * buffer_bytes;
  const std::size_t credit = once_ ? std::min(room, buffer_bytes) : room - buffer_bytes;
  credit_ = static_cast<std::uint32_t>(std::min<std::size_t>(credit, kOperationBytesMax));
  issue_receive();
  return may_arrive();
}

void Socket::issue_receive() {
  io_uring_sqe& sqe = loop_.prepare(receive_);
  if (!once_) {
    io_uring_prep_recv_multishot(&sqe, descriptor_, nullptr, 0, 0);
    sqe.optlen = credit_;
  } else {
    io_uring_prep_recv(&sqe, descriptor_, nullptr, credit_, 0);
  }
  if (!more_waits_) sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = static_cast<std::uint16_t>(armed_group_);
}

void Socket::on_received(Completion completion) {
  if (completion.result != -ECANCELED) {
    more_waits_ = completion.result < 0 || (completion.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
  }
  if (completion.result > 0) {
    const auto size = static_cast<std::size_t>(completion.result);
    CHECK((completion.flags & IORING_CQE_F_BUFFER) != 0, "received bytes lie in a buffer");
    const auto id = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    buffers().push(received_queue_, armed_group_, id, size);
    if (discards_) buffers().give_back_all(received_queue_);
    credit_ -= std::min(credit_, static_cast<std::uint32_t>(size));
    if (armed_group_ == BufferGroup::kBulk) {
      received_lately_ = true;
      occasional_->bulk_bytes += static_cast<std::uint32_t>(size);
      ++occasional_->bulk_receives;
    } else if (size == buffers().bytes_of(BufferGroup::kSmall)) {
      wants_bulk_ = true;
    }
  } else if (completion.result == 0) {
    end_of_stream_ = true;
  } else if (completion.result == -ENOBUFS && !shut_down_) {
    // The ring of this group was empty: the bytes stay in the socket until a buffer is back.
    buffers().wait_for_buffer(armed_group_, occasional().starved);
    return;
  } else if (completion.result != -ECANCELED && completion.result != -ENOBUFS) {
    receive_error_ = errno_of(completion.result);
  }
  loop_.ready().push(received_);
  note_idle();
}

void Socket::on_quiet() {
  if (shut_down_ || armed_group_ != BufferGroup::kBulk || !armed()) return;
  if (received_lately_ || !receive_.in_flight()) {
    received_lately_ = false;
    occasional_->quiet.arm(loop_.now() + kBulkQuiet);
  } else {
    group_ = BufferGroup::kSmall;
    loop_.cancel(receive_);
  }
}

void Socket::on_fed() {
  if (shut_down_) {
    loop_.ready().push(received_);
    note_idle();
  } else if (credit_ > 0) {
    issue_receive();
  } else {
    loop_.ready().push(received_);
  }
}

void Socket::disarm() {
  credit_ = 0;
  stop_waiting_for_buffer();
  loop_.cancel(receive_);
}

void Socket::stop_streaming() {
  const bool is_disarmed = credit_ == 0;
  if (once_ || is_disarmed || !armed()) return;
  credit_ += static_cast<std::uint32_t>(overshoot());  // which it still may
  once_ = true;
  loop_.cancel(receive_);
}

void Socket::discard() {
  disarm();
  discards_ = true;
  buffers().give_back_all(received_queue_);
}

// Who waited is told in the same way as who gets a buffer.
void Socket::stop_waiting_for_buffer() {
  if (!occasional_ || !occasional_->starved.waiting()) return;
  buffers().stop_waiting(occasional_->starved);
  loop_.ready().push(occasional_->fed);
}

void Socket::send(std::span<const std::byte> bytes) {
  CHECK(bytes.size() <= kOperationBytesMax, "a send is of one batch");
  io_uring_sqe& sqe = loop_.prepare(send_);
  io_uring_prep_send(&sqe, descriptor_, bytes.data(), bytes.size(), MSG_WAITALL | MSG_NOSIGNAL);
  sent_bytes_ = static_cast<std::uint32_t>(bytes.size());
}

void Socket::on_sent(Completion completion) {
  const auto sent =
      completion.result > 0 ? static_cast<std::uint32_t>(completion.result) : std::uint32_t{0};
  // With MSG_WAITALL anything short of all means that the connection is broken.
  if (completion.result < 0) {
    send_error_ = errno_of(completion.result);
  } else if (sent != sent_bytes_) {
    send_error_ = ECONNRESET;  // or EPIPE: which one, the kernel tells nobody
  }
  sent_bytes_ = sent;
  loop_.ready().push(sent_);
  note_idle();
}

void Socket::watch_hangup(Hangup of) {
  // One of the other kind is asked for anew when it has ended.
  if (connect_or_watch_.in_flight() && of != watched_) loop_.cancel(connect_or_watch_);
  watching_ = true;
  watched_ = of;
  if (!connect_or_watch_.in_flight()) issue_watch();
}

void Socket::unwatch_hangup() {
  watching_ = false;
  if (!connecting_) loop_.cancel(connect_or_watch_);
}

void Socket::issue_watch() {
  io_uring_sqe& sqe = loop_.prepare(connect_or_watch_);
  // POLLHUP, POLLERR and POLLRDHUP are always looked for. A stream that has ended would end a watch
  // for the end of all at once, and again and again: that one goes on, and tells only of changes.
  if (watched_ == Hangup::kOfStream) {
    io_uring_prep_poll_add(&sqe, descriptor_, POLLRDHUP);
  } else {
    io_uring_prep_poll_multishot(&sqe, descriptor_, 0);
  }
}

void Socket::on_left(Completion completion) {
  const bool gone = completion.result > 0 && (completion.result & (POLLHUP | POLLERR)) != 0;
  if (gone || (completion.result > 0 && watched_ == Hangup::kOfStream)) {
    watching_ = false;
    peer_gone_ |= gone;
    loop_.cancel(connect_or_watch_);
    if (left_is_awaited()) {
      left_told_ = true;
      loop_.push_next_turn(*left_);
    }
  } else if (watching_ && !shut_down_ && !connect_or_watch_.in_flight()) {
    issue_watch();  // wanted again, or the other kind, while its cancellation was under way
  }
  note_idle();
}

void Socket::shutdown_write() {
  if (descriptor_ >= 0) loop_.kernel().shutdown(descriptor_, SHUT_WR);
}

void Socket::shutdown_both() {
  if (descriptor_ < 0 || shut_down_) return;
  shut_down_ = true;
  if (occasional_) occasional_->quiet.disarm();
  stop_waiting_for_buffer();
  loop_.cancel(connect_or_watch_);
  if (resets_on_close_) {
    // shutdown(2) would send the FIN that is not to be seen.
    loop_.cancel(receive_);
    loop_.cancel(send_);
  } else {
    loop_.kernel().shutdown(descriptor_, SHUT_RDWR);
  }
}

void Socket::reset_on_close() {
  if (descriptor_ < 0) return;
  resets_on_close_ = true;
  loop_.kernel().reset_on_close(descriptor_);
}

bool Socket::busy() const {
  return receive_.in_flight() || send_.in_flight() || connect_or_watch_.in_flight();
}

bool Socket::any_queued() const {
  return (occasional_ && occasional_->fed.queued()) || received_.queued() || sent_.queued() ||
         (left_ != nullptr && left_->queued());
}

void Socket::note_idle() {
  if (occasional_ && occasional_->idle != nullptr && !busy()) occasional_->idle->set();
}

Task<> Socket::close() {
  if (descriptor_ < 0) co_return;
  Event idle(loop_.ready());
  occasional().idle = &idle;
  shutdown_both();
  while (busy() || any_queued()) {
    // What is queued runs before this comes round.
    if (!busy() && !occasional().fed.queued()) loop_.push_next_turn(occasional().fed);
    idle.clear();
    co_await idle.wait();
  }
  occasional_.reset();
  buffers().give_back_all(received_queue_);
  loop_.kernel().close(descriptor_);
  descriptor_ = -1;
}

}  // namespace uring
