// One peer's connection seen as plaintext: a socket, a TLS session where the peer speaks TLS, and
// the outbound batch.
//
//   read:   socket -> received buffers -> [open] -> bytes, valid until the next read
//   write:  bytes -> [staged -> seal] -> filling batch -> flying batch -> socket
//
// At most one send flies; what is written meanwhile becomes the next batch, flushed once at the end
// of a turn. A link that is read for another one (read_for) is armed only as far as the other's
// batch has room, so bytes that have arrived can always be written on at once, and a peer that does
// not read stops the one that feeds it. An idle link holds no buffer.
//
// `Session` is tls::Session, or whatever opens and seals like it; `Sink` is where it puts what it
// has sealed. abort() ends every pending wait; a link is destroyed after close().
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "uring/link_resources.hh"
#include "uring/socket.hh"

namespace uring {

template <class Session, class Sink>
class Link final : private Sink, private Flushable {
 public:
  explicit Link(LinkResources& resources, LinkSide side = LinkSide::kUncounted)
      : Flushable(&flush_due),
        resources_(resources),
        socket_(resources.loop,
                {this, &ReadyMember<&Link::on_received>::run, &ReadyMember<&Link::on_sent>::run}),
        side_(side) {
    CHECK(&resources.loop.receive_buffers() == &resources.buffers, "a loop has buffers of its own");
  }

  ~Link() {
    resources_.pool.give_back(filling_);
    resources_.pool.give_back(flying_);
    stop_feeding();
    CHECK(drained_ == nullptr, "a link died under who waits for its bytes to be sent");
    if (source_ != nullptr) source_->feeds_ = nullptr;
    resources_.pool.commit(committed_, 0);
  }

  void adopt(int descriptor) { socket_.adopt(descriptor); }
  bool is_open() const { return socket_.is_open(); }
  int descriptor() const { return socket_.descriptor(); }

  // From here on the peer speaks TLS. `behind`: the end of what the last read has yielded, which
  // was the first and in plain text, is the session's already; handshake() follows at once.
  void secure(std::unique_ptr<Session> session, Bytes behind = {}) {
    tls_ = frames().template make<Tls>(frames(), std::move(session));
    set_aside(behind);
  }
  Session* session() { return tls_ ? tls_->session.get() : nullptr; }
  const Session* session() const { return tls_ ? tls_->session.get() : nullptr; }

  // From here on bytes are read as they come: after the end of the session the peer's FIN is still
  // to be awaited.
  void forget_session();

  // Gives 0 or errno; ECANCELED after an abort.
  Task<int> connect(const sockaddr* address, socklen_t length, const TcpOptions& options = {},
                    Source source = {});

  // Before handshake(), where we are the client: says the first word.
  void start_handshake() {
    is_client_ = true;
    tls_->session->start(static_cast<Sink&>(*this));
  }

  // Until the handshake is done, or the link has ended: then end() says why. Data that came right
  // behind it is what the next read yields.
  Task<bool> handshake();
  // It has ended since too many handshakes waited for their turn already.
  bool was_refused() const { return refused_; }
  bool has_behind_handshake() const { return tls_ && !tls_->behind_handshake.empty(); }

  // Lives in the awaiting frame, as Event::Wait does.
  class Read final : public LinkReader {
   public:
    explicit Read(Link& link) : link_(link) {}
    bool await_ready() { return link_.may_read_on(bytes_); }
    void await_suspend(std::coroutine_handle<> coroutine) {
      coroutine_ = coroutine;
      link_.reader_ = this;
    }
    Bytes await_resume() const { return bytes_; }

   private:
    void go_on(Bytes bytes) override {
      bytes_ = bytes;
      coroutine_.resume();
    }
    Link& link_;
    std::coroutine_handle<> coroutine_;
    Bytes bytes_;
  };

  // The next bytes to be written to `to`, valid until the next read of any link; empty at the end.
  // Who adds bytes to each piece (chunk headers) arms kOnce, so that the pieces stay few. Not many
  // more than `most` are received: what lies behind them belongs to somebody else.
  Read read_for(Link& to, Socket::Arming arming = Socket::Arming::kStream,
                std::uint64_t most = kAnyBytes) {
    start_feeding(to);
    arming_ = arming;
    most_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(most, kAnyBytes));
    return Read(*this);
  }

  // The same for who is no coroutine: the bytes, where they are there; else `reader` gets them.
  std::optional<Bytes> read_for(Link& to, LinkReader& reader) {
    start_feeding(to);
    arming_ = Socket::Arming::kStream;
    most_ = kAnyBytes;
    Bytes bytes;
    if (may_read_on(bytes)) return bytes;
    reader_ = &reader;
    return std::nullopt;
  }

  // While nothing is read: until there is room in `to` for more, or nothing can be sent there any
  // more, or abort(). As a read_for does that waits for it.
  class Room final : public LinkReader {
   public:
    explicit Room(Link& link) : link_(link) {}
    bool await_ready() const { return link_.has_room(); }
    void await_suspend(std::coroutine_handle<> coroutine) {
      coroutine_ = coroutine;
      link_.await_room(*this);
    }
    void await_resume() const {}

   private:
    void go_on(Bytes) override { coroutine_.resume(); }
    Link& link_;
    std::coroutine_handle<> coroutine_;
  };
  Room room_for(Link& to) {
    start_feeding(to);
    return Room(*this);
  }

  // At most `room` bytes, received only while this is awaited: the rest stays in the kernel. What
  // watch_input() has armed for comes first.
  Read read_once(std::size_t room) {
    stop_feeding();
    arming_ = Socket::Arming::kOnce;
    most_ = static_cast<std::uint32_t>(std::min<std::size_t>(room, kAnyBytes));
    return Read(*this);
  }

  // While nobody reads: `noticed` runs when something has arrived, for take_input(). At most `room`
  // bytes are let in until they are taken; with none only what is on its way already. With room for
  // two small buffers or more the receive stays armed through watches and reads, until about as
  // many bytes have come: a conversation of short messages needs few requests.
  void watch_input(Ready& noticed, std::size_t room);
  // A read_for waits for room.
  bool held_back() const { return feeds_ != nullptr && feeds_->source_waits_; }
  // For how long in all, in whole milliseconds, which begin and end at random.
  std::chrono::milliseconds held_back_time() const;
  // From here on what has arrived, and what is armed for, is the next read's; `noticed` does not
  // run any more.
  void unwatch_input() {
    if (noticed_ != nullptr) std::exchange(noticed_, nullptr)->take_back();
  }
  bool watches_input() const { return noticed_ != nullptr; }
  // Before somebody reads who may pause for long: what is armed for ends early.
  void stop_streaming() { socket_.stop_streaming(); }
  // Something has been received, or may be without being asked for again: who reads no more watches
  // the input still, or buffers stay with the link that others need.
  bool receives() const { return socket_.armed() || socket_.has_received() || holds_input(); }
  // It is watched, and nothing has arrived, nor could have without being noticed.
  bool quiet() const;
  // Appends what has arrived to `to`. kNothing: only what the session understands came, and the
  // watching goes on; else it is over, and after kEnd end() says why.
  enum class Input : std::uint8_t { kNothing, kBytes, kEnd };
  template <class Text>
  Input take_input(Text& to);

  // What was read is not looked at any more: its buffer goes back now, not with the next read.
  void release();
  // Nothing more is read for the other link: as release(), and the room reserved there is others'.
  void end_reading_for();

  // Nobody reads on, but to throw away what comes: what has arrived keeps no buffer, nor does what
  // still arrives of what was armed. A TLS session can open nothing after that.
  void drop_input();

  LinkEnd end() const { return aborted_ ? LinkEnd::kAborted : end_; }
  int error_number() const { return error_number_; }

  // Takes the bytes into the batch, whatever its room: callers write what room was reserved for, or
  // little.
  void write(Bytes bytes);

  // After what was written: close_notify, then FIN. Nothing may be written afterwards. Without
  // the close_notify a TLS peer sees that what it got is not whole.
  enum class Ending { kWhole, kTruncated };
  void write_end(Ending ending = Ending::kWhole);
  bool end_written() const { return end_written_; }

  // Bytes that were written and have not been taken by the kernel.
  bool has_unsent() const { return filling_.size + staged_ > 0 || socket_.sending(); }
  std::size_t unsent_bytes() const { return filling_.size + staged_ + flying_.size; }
  // More is waiting to be sent than should be added to.
  bool crowded() const { return below_half() && has_unsent(); }
  // Sealed bytes that the kernel has taken.
  std::uint64_t sent_bytes() const { return sent_bytes_; }
  // And what of them the peer's system has taken: in all, from an origin of its own, and not yet.
  // Only differences of the first mean something. Of a Unix socket the kernel tells neither: the
  // first is what it took itself then, and the second what that costs it, which falls as the peer
  // reads. It costs system calls: to be asked seldom.
  struct Taking {
    std::uint64_t taken;
    std::uint64_t left;
    bool is_of_peer = true;
  };
  Taking taking() const;
  bool send_failed() const { return socket_.send_error() != 0; }
  int send_error() const { return socket_.send_error(); }

  // Until all is sent, or can't be any more, or abort().
  Task<> drained();

  // Runs `left` once when the peer closes, while nothing is read.
  void watch_hangup(Ready& left, Socket::Hangup of = Socket::Hangup::kOfStream) {
    watch_hangup_when_held_back(left);
    socket_.watch_hangup(of);
  }
  // As above, but only while a read_for waits for room: then nothing else would tell.
  void watch_hangup_when_held_back(Ready& left) { socket_.tell_left_to(left); }
  bool peer_gone() const { return socket_.peer_gone(); }  // by a reset, as far as was watched
  // `left` does not run any more.
  void unwatch_hangup() {
    socket_.forget_left();
    socket_.unwatch_hangup();
  }

  // Every pending wait ends, and every later one at once, until clear_abort().
  void abort();
  void clear_abort() { aborted_ = false; }
  void reset_on_close() { socket_.reset_on_close(); }

  // Stops everything and waits for what is in flight. After it nothing of the link is queued.
  Task<> close();

  // Bytes of this direction's batches: plaintext that can be written now.
  std::size_t room() const;

  // As they came from the socket: sealed where it is TLS.
  std::uint64_t received_bytes() const { return received_bytes_; }
  // As they go to the socket, what waits to be sent included. What is staged is sealed for it.
  std::uint64_t written_bytes();
  // From here on both are counted anew, and the time held back. Of what was received the last
  // `bytes_behind` belong to what begins here; of what was written nothing does.
  void count_from_here(std::size_t bytes_behind);
  // Its sends count there, too, until somebody else is named, or nobody (null).
  void count_sends_in(LinkSends* sends) { sends_ = sends; }

  BlockPool& frames() { return resources_.loop.frames(); }

 private:
  static constexpr std::uint32_t kAnyBytes = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kRecordMax = 16384;
  // Room in front of staged plaintext for a record's header, where TLS 1.3 has it; and behind it
  // for whatever else a record has.
  static constexpr std::size_t kSealFront = 5;
  static constexpr std::size_t kSealBack = 32;
  // Of each batch, for our own control frames, alerts and KeyUpdate answers.
  static constexpr std::size_t kOwnBytes = 512;
  // A peer that wants more answers of the session than this and takes none of them is given up.
  static constexpr std::size_t kAnswersUnsentMax = 4096;

  // What it has with TLS alone.
  struct Tls {
    Tls(BlockPool& memory, std::unique_ptr<Session> of) : pool(memory), session(std::move(of)) {}
    BlockPool& frames() { return pool; }

    BlockPool& pool;
    std::unique_ptr<Session> session;
    Bytes sealed;                    // of lent_ or set_aside, not opened yet
    std::span<std::byte> set_aside;  // instead, of a handshake that waits for its step; a block
    std::span<std::byte> behind_handshake;  // plaintext that came along with its end; a block
    std::uint32_t answers_unsent = 0;       // bytes in filling_ that the session said of its own
  };

  bool may_read_on(Bytes& bytes);
  bool produce(Bytes& bytes);
  bool produce_plain(Bytes& bytes);
  bool produce_opened(Bytes& bytes);
  bool open_some(std::size_t& plaintext);
  void give_back_lent();
  void forget_input();
  std::span<std::byte> copy_of(Bytes bytes);
  void give_back_copy(std::span<std::byte>& copy);
  Bytes take_received();
  void finish_stream();
  void start_feeding(Link& to);
  void stop_feeding();
  std::size_t may_bring() const;
  void commit_again();
  void arm_or_wait();
  std::size_t sealed_most() const;
  bool holds_input() const { return lent_.has_value() || (tls_ && !tls_->set_aside.empty()); }
  void await_handshake_step(bool is_first);
  void set_aside_received();
  void set_aside(Bytes bytes);
  void wait_no_more();
  bool ended() const { return end() != LinkEnd::kNone; }
  void end_with(LinkEnd end) {
    if (end_ == LinkEnd::kNone) end_ = end;
  }

  void append(Bytes sealed) override;
  std::byte* reserve(std::size_t bytes) override;
  void commit(std::size_t bytes) override;
  void stage(Bytes bytes);
  void seal_staged();
  static void flush_due(Flushable& self) { static_cast<Link&>(self).flush(); }
  void flush();
  bool below_half() const { return room() * 2 < resources_.pool.share(); }
  bool has_room() const {
    return aborted_ || feeds_ == nullptr || !feeds_->crowded() || feeds_->send_failed();
  }
  void await_room(Room& waiter);
  void wait_for_room();
  Link* release_source();
  void wake_source();
  std::uint32_t now_ms() const;
  LinkCounts* counts() const { return resources_.counts[static_cast<std::size_t>(side_)]; }
  void note_received(std::size_t bytes);
  void note_sent(std::size_t bytes);
  void note_held_back(std::uint32_t time_ms);

  Ready& received() { return socket_.received(); }
  void on_received();
  void on_sent();
  void note_drained() {
    if (drained_ != nullptr) drained_->set();
  }

  LinkResources& resources_;
  Socket socket_;
  BlockPool::Owned<Tls> tls_;
  Event* drained_ = nullptr;    // of drained(), while it is awaited
  Ready* noticed_ = nullptr;    // of watch_input()
  LinkSends* sends_ = nullptr;  // of count_sends_in()

  LinkReader* reader_ = nullptr;
  Link* feeds_ = nullptr;   // whose room limits what is read
  Link* source_ = nullptr;  // whose feeds_ we are
  std::uint64_t received_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;

  Batch filling_;
  Batch flying_;
  std::uint32_t most_ = 0;    // of what the reader asks for
  std::uint32_t staged_ = 0;  // plaintext behind filling_, not sealed yet
  std::uint32_t committed_ = 0;

  std::uint32_t held_back_ms_ = 0;        // until the last time that it was
  std::uint32_t held_back_since_ms_ = 0;  // while it is
  int error_number_ = 0;
  std::optional<BufferId> lent_;  // its bytes are the reader's, or being opened
  Socket::Arming arming_ : 1 = Socket::Arming::kStream;
  LinkEnd end_ : 3 = LinkEnd::kNone;
  LinkEnd end_after_yield_ : 3 = LinkEnd::kNone;
  const LinkSide side_ : 2;
  bool source_waits_ = false;     // for our room
  bool awaits_room_ : 1 = false;  // the reader does, and no bytes
  bool aborted_ : 1 = false;
  bool shaking_hands_ : 1 = false;
  bool awaits_step_ = false;  // of its handshake
  bool gated_ = false;        // what is held is not looked at before on_received()
  bool is_client_ : 1 = false;
  bool refused_ : 1 = false;
  bool end_written_ : 1 = false;
  bool end_sent_ : 1 = false;
};

}  // namespace uring

#include "uring/link_counts.hh"
#include "uring/link_handshake.hh"
#include "uring/link_read.hh"
#include "uring/link_write.hh"
