// The receiving half of Link (uring/link.hh).
#pragma once

#include "uring/link.hh"

namespace uring {

template <class Session, class Sink>
Task<int> Link<Session, Sink>::connect(const sockaddr* address, socklen_t length,
                                       const TcpOptions& options, Source source) {
  Event connected(resources_.loop.ready());
  socket_.connect(address, length, connected, options, source);
  co_await connected.wait();
  co_return aborted_ ? ECANCELED : socket_.connect_error();
}

// False: whoever asks is to wait, and more is let in.
template <class Session, class Sink>
bool Link<Session, Sink>::may_read_on(Bytes& bytes) {
  if (std::exchange(gated_, false)) {
    resources_.loop.ready().push(received());
    return false;
  }
  if (produce(bytes)) return true;
  arm_or_wait();
  return false;
}

// Makes bytes for the reader, or none at an end, of what is there; false if more must arrive first.
template <class Session, class Sink>
bool Link<Session, Sink>::produce(Bytes& bytes) {
  bytes = {};
  if (!aborted_ && has_behind_handshake()) {
    std::ranges::copy(tls_->behind_handshake, resources_.plaintext.begin());
    bytes = resources_.plaintext.first(tls_->behind_handshake.size());
    give_back_copy(tls_->behind_handshake);
    return true;
  }
  if (end_after_yield_ != LinkEnd::kNone) end_with(end_after_yield_);
  if (ended()) {
    stop_feeding();
    forget_input();
    return true;
  }
  return tls_ ? produce_opened(bytes) : produce_plain(bytes);
}

template <class Session, class Sink>
bool Link<Session, Sink>::produce_plain(Bytes& bytes) {
  give_back_lent();
  if (socket_.has_received()) {
    bytes = take_received();
    note_received(bytes.size());
    return true;
  }
  finish_stream();
  return ended();
}

template <class Session, class Sink>
bool Link<Session, Sink>::produce_opened(Bytes& bytes) {
  std::size_t plaintext = 0;
  while (resources_.plaintext.size() - plaintext >= kRecordMax) {
    if (open_some(plaintext)) continue;
    if (end_after_yield_ != LinkEnd::kNone) break;
    if (!socket_.has_received()) break;
    tls_->sealed = take_received();
    note_received(tls_->sealed.size());
  }
  bytes = resources_.plaintext.first(plaintext);
  if (plaintext > 0 || (shaking_hands_ && tls_->session->handshake_done())) return true;
  if (end_after_yield_ != LinkEnd::kNone) {
    end_with(end_after_yield_);
    return true;
  }
  if (!socket_.has_received()) finish_stream();
  return ended();
}

template <class Session, class Sink>
void Link<Session, Sink>::give_back_lent() {
  if (lent_) resources_.buffers.give_back(*std::exchange(lent_, {}));
  if (tls_) give_back_copy(tls_->set_aside);
}

// In a block of its own.
template <class Session, class Sink>
std::span<std::byte> Link<Session, Sink>::copy_of(Bytes bytes) {
  if (bytes.empty()) return {};
  const std::span copy(static_cast<std::byte*>(frames().take(bytes.size())), bytes.size());
  std::ranges::copy(bytes, copy.begin());
  return copy;
}

template <class Session, class Sink>
void Link<Session, Sink>::give_back_copy(std::span<std::byte>& copy) {
  if (copy.empty()) return;
  const auto block = std::exchange(copy, {});
  frames().give_back(block.data(), block.size());
}

// What has been taken from the socket is nobody's any more.
template <class Session, class Sink>
void Link<Session, Sink>::forget_input() {
  give_back_lent();
  if (!tls_) return;
  tls_->sealed = {};
  give_back_copy(tls_->behind_handshake);
}

template <class Session, class Sink>
Bytes Link<Session, Sink>::take_received() {
  const Received received = socket_.take();
  lent_ = received.buffer;
  return received.bytes;
}

// Opens one record of what is held; false when there is nothing more in it to be opened now.
template <class Session, class Sink>
bool Link<Session, Sink>::open_some(std::size_t& plaintext) {
  if (!holds_input()) return false;
  const std::uint32_t filling_before = filling_.size;
  const auto progress = tls_->session->open(tls_->sealed, resources_.plaintext.subspan(plaintext),
                                            static_cast<Sink&>(*this));
  plaintext += progress.plaintext;
  using Status = decltype(progress.status);
  if (!shaking_hands_) tls_->answers_unsent += filling_.size - filling_before;
  const bool given_up = tls_->answers_unsent > kAnswersUnsentMax;
  if (progress.status == Status::kPlaintext && !given_up) return true;
  if (progress.status == Status::kClosed) end_after_yield_ = LinkEnd::kEndOfStream;
  if (progress.status == Status::kFailed) end_after_yield_ = LinkEnd::kTlsFailed;
  if (given_up) {
    end_after_yield_ = LinkEnd::kFailed;
    error_number_ = ENOBUFS;
  }
  forget_input();
  return false;
}

template <class Session, class Sink>
void Link<Session, Sink>::start_feeding(Link& to) {
  if (feeds_ == &to) return;
  stop_feeding();
  if (to.source_ != nullptr) to.source_->stop_feeding();
  feeds_ = &to;
  to.source_ = this;
  if (socket_.armed()) to.commit_again();
}

template <class Session, class Sink>
void Link<Session, Sink>::stop_feeding() {
  if (feeds_ == nullptr) return;
  arming_ = Socket::Arming::kOnce;
  Link& to = *std::exchange(feeds_, nullptr);
  to.release_source();
  to.source_ = nullptr;
  to.commit_again();
}

// Precondition: it feeds another one.
template <class Session, class Sink>
void Link<Session, Sink>::wait_for_room() {
  if (!std::exchange(feeds_->source_waits_, true)) held_back_since_ms_ = now_ms();
}

template <class Session, class Sink>
void Link<Session, Sink>::await_room(Room& waiter) {
  reader_ = &waiter;
  awaits_room_ = true;
  wait_for_room();
  feeds_->commit_again();
  if (socket_.left_is_awaited()) socket_.watch_hangup();
}

// Whoever has waited for our room does so no longer.
template <class Session, class Sink>
Link<Session, Sink>* Link<Session, Sink>::release_source() {
  if (!std::exchange(source_waits_, false)) return nullptr;
  source_->note_held_back(now_ms() - source_->held_back_since_ms_);
  return source_;
}

// Differences of up to 49 days are right.
template <class Session, class Sink>
std::uint32_t Link<Session, Sink>::now_ms() const {
  const auto now = resources_.loop.now().time_since_epoch();
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

template <class Session, class Sink>
std::chrono::milliseconds Link<Session, Sink>::held_back_time() const {
  return std::chrono::milliseconds(held_back_ms_ +
                                   (held_back() ? now_ms() - held_back_since_ms_ : 0));
}

// Bytes for the link that we feed: those that may still arrive, and those of a record that is not
// whole.
template <class Session, class Sink>
std::size_t Link<Session, Sink>::may_bring() const {
  const std::size_t may_arrive = socket_.may_arrive();
  return may_arrive == 0 ? 0 : may_arrive + (tls_ ? tls_->session->held() : 0);
}

// After any change of what is under way to this peer, or is let in for it.
template <class Session, class Sink>
void Link<Session, Sink>::commit_again() {
  const std::size_t let_in = source_ != nullptr ? source_->may_bring() : 0;
  resources_.pool.commit(committed_, let_in + filling_.size + staged_ + flying_.size);
}

template <class Session, class Sink>
void Link<Session, Sink>::forget_session() {
  if (!tls_) return;
  seal_staged();
  forget_input();
  tls_.reset();
  end_after_yield_ = LinkEnd::kNone;
  if (!socket_.end_of_stream() && socket_.receive_error() == 0) end_ = LinkEnd::kNone;
}

template <class Session, class Sink>
void Link<Session, Sink>::finish_stream() {
  if (socket_.end_of_stream()) {
    using Status = decltype(tls_->session->end_of_stream());
    const bool clean = !tls_ || tls_->session->end_of_stream() == Status::kClosed;
    end_with(clean ? LinkEnd::kEndOfStream : LinkEnd::kTruncated);
  } else if (socket_.receive_error() != 0) {
    error_number_ = socket_.receive_error();
    end_with(LinkEnd::kFailed);
  }
}

// Sees to it that something can arrive, or that the room for it is waited for.
template <class Session, class Sink>
void Link<Session, Sink>::arm_or_wait() {
  if (socket_.armed()) return;
  const std::size_t held = tls_ ? tls_->session->held() : 0;
  if (feeds_ == nullptr) {
    socket_.arm(std::max<std::size_t>(most_, 1), arming_);
    return;
  }
  Link& to = *feeds_;
  if (to.crowded() && !to.send_failed()) {
    wait_for_room();
    to.commit_again();
    if (socket_.left_is_awaited()) socket_.watch_hangup();
    return;
  }
  socket_.arm(std::min(to.room(), sealed_most() + held), arming_, held);
  to.commit_again();
}

// most_ as it comes from the peer: with a record's worth for what TLS adds.
template <class Session, class Sink>
std::size_t Link<Session, Sink>::sealed_most() const {
  const std::size_t most = most_;
  return static_cast<std::size_t>(tls_ ? most + most / 128 + kSealFront + kSealBack : most);
}

template <class Session, class Sink>
void Link<Session, Sink>::release() {
  if (!tls_) give_back_lent();
}

template <class Session, class Sink>
void Link<Session, Sink>::end_reading_for() {
  release();
  stop_feeding();
}

template <class Session, class Sink>
void Link<Session, Sink>::drop_input() {
  unwatch_input();
  stop_feeding();
  forget_input();
  socket_.discard();
}

template <class Session, class Sink>
void Link<Session, Sink>::watch_input(Ready& noticed, std::size_t room) {
  unwatch_input();
  noticed_ = &noticed;
  stop_feeding();
  const bool streams = room >= 2 * resources_.buffers.bytes_of(BufferGroup::kSmall);
  arming_ = streams ? Socket::Arming::kStream : Socket::Arming::kOnce;
  if (!streams) socket_.stop_streaming();
  most_ = static_cast<std::uint32_t>(std::min<std::size_t>(room, kAnyBytes));
  release();
  const bool has_some = socket_.has_received() || holds_input() || has_behind_handshake();
  if (has_some || ended() || end_after_yield_ != LinkEnd::kNone) {
    resources_.loop.ready().push(*noticed_);
  } else if (room > 0) {
    arm_or_wait();
  }
}

template <class Session, class Sink>
bool Link<Session, Sink>::quiet() const {
  return noticed_ != nullptr && !noticed_->queued() && !ended() && socket_.quiet();
}

template <class Session, class Sink>
template <class Text>
auto Link<Session, Sink>::take_input(Text& to) -> Input {
  CHECK(reader_ == nullptr, "input is watched while nobody reads");
  Bytes bytes;
  if (!produce(bytes)) {
    if (most_ > 0) arm_or_wait();
    return Input::kNothing;
  }
  unwatch_input();
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  release();
  return bytes.empty() ? Input::kEnd : Input::kBytes;
}

template <class Session, class Sink>
void Link<Session, Sink>::on_received() {
  wait_no_more();
  if (reader_ == nullptr) {
    if (noticed_ != nullptr) resources_.loop.ready().push(*noticed_);
    return;
  }
  if (awaits_room_) {
    if (!has_room()) return wait_for_room();
    awaits_room_ = false;
    return std::exchange(reader_, nullptr)->go_on({});
  }
  // Handshakes cost much more than anything else in a turn, so each turn takes a few of them.
  if (shaking_hands_ && !ended() && !resources_.loop.take_heavy_step()) {
    // Who has been answered is let go on.
    const bool is_first = !is_client_ && sent_bytes_ == 0 && !has_unsent();
    refused_ = is_first && resources_.handshakes_waiting >= resources_.handshakes_waiting_max;
    if (!refused_) return await_handshake_step(is_first);
    while (socket_.has_received()) socket_.give_back(socket_.take().buffer);
    end_with(LinkEnd::kFailed);
  }
  Bytes bytes;
  if (produce(bytes)) {
    std::exchange(reader_, nullptr)->go_on(bytes);
  } else {
    arm_or_wait();
  }
}

template <class Session, class Sink>
void Link<Session, Sink>::abort() {
  aborted_ = true;
  unwatch_input();
  socket_.cancel_connect();
  socket_.disarm();
  if (feeds_ != nullptr) feeds_->commit_again();
  note_drained();
  if (reader_ == nullptr) return;
  received().take_back();  // the step that it waited for is not needed any more
  wait_no_more();
  resources_.loop.ready().push(received());
}

template <class Session, class Sink>
Task<> Link<Session, Sink>::close() {
  socket_.forget_left();
  unwatch_input();
  stop_feeding();
  release_source();
  wait_no_more();
  aborted_ = true;
  forget_input();
  // A send that succeeds though it was cancelled is followed by none.
  staged_ = 0;
  resources_.pool.give_back(filling_);
  end_sent_ = true;
  co_await socket_.close();
  resources_.loop.forget_flush(*this);
}

}  // namespace uring
