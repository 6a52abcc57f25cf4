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

template <class Session, class Sink>
Task<bool> Link<Session, Sink>::handshake() {
  shaking_hands_ = true;
  // It came behind what was in plain text: a first step that waits as any other's.
  gated_ = holds_input();
  while (!session_->handshake_done() && !ended()) {
    yielded_ = co_await read_once(resources_.buffers.bytes_of(BufferGroup::kSmall));
    behind_handshake_ = !yielded_.empty();
  }
  shaking_hands_ = false;
  co_return !ended();
}

// Makes bytes for the reader, or an end, of what is there; false if more must arrive first.
template <class Session, class Sink>
bool Link<Session, Sink>::produce() {
  if (std::exchange(behind_handshake_, false)) return true;
  if (end_after_yield_ != LinkEnd::kNone) end_with(end_after_yield_);
  if (ended()) {
    stop_feeding();
    give_back_lent();
    sealed_ = {};
    return true;
  }
  return session_ ? produce_opened() : produce_plain();
}

template <class Session, class Sink>
bool Link<Session, Sink>::produce_plain() {
  give_back_lent();
  if (socket_.has_received()) {
    yielded_ = take_received();
    note_received(yielded_.size());
    return true;
  }
  finish_stream();
  return ended();
}

template <class Session, class Sink>
bool Link<Session, Sink>::produce_opened() {
  std::size_t plaintext = 0;
  while (resources_.plaintext.size() - plaintext >= kRecordMax) {
    if (open_some(plaintext)) continue;
    if (end_after_yield_ != LinkEnd::kNone) break;
    if (!socket_.has_received()) break;
    sealed_ = take_received();
    note_received(sealed_.size());
  }
  yielded_ = resources_.plaintext.first(plaintext);
  if (plaintext > 0 || (shaking_hands_ && session_->handshake_done())) return true;
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
  if (set_aside_.empty()) return;
  const auto memory = std::exchange(set_aside_, {});
  frames().give_back(memory.data(), memory.size());
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
  const auto progress =
      session_->open(sealed_, resources_.plaintext.subspan(plaintext), static_cast<Sink&>(*this));
  plaintext += progress.plaintext;
  using Status = decltype(progress.status);
  if (!shaking_hands_) answers_unsent_ += filling_.size - filling_before;
  const bool given_up = answers_unsent_ > kAnswersUnsentMax;
  if (progress.status == Status::kPlaintext && !given_up) return true;
  if (progress.status == Status::kClosed) end_after_yield_ = LinkEnd::kEndOfStream;
  if (progress.status == Status::kFailed) end_after_yield_ = LinkEnd::kTlsFailed;
  if (given_up) {
    end_after_yield_ = LinkEnd::kFailed;
    error_number_ = ENOBUFS;
  }
  give_back_lent();
  sealed_ = {};
  return false;
}

template <class Session, class Sink>
void Link<Session, Sink>::start_feeding(Link& to) {
  if (feeds_ == &to) return;
  stop_feeding();
  if (to.source_ != nullptr) to.source_->stop_feeding();
  feeds_ = &to;
  to.source_ = this;
}

template <class Session, class Sink>
void Link<Session, Sink>::stop_feeding() {
  if (feeds_ == nullptr) return;
  Link& to = *std::exchange(feeds_, nullptr);
  to.source_ = nullptr;
  to.release_feeder();
  to.commit_again();
}

// Precondition: it feeds another one.
template <class Session, class Sink>
void Link<Session, Sink>::wait_for_room() {
  if (std::exchange(feeds_->feeder_, this) != this) held_back_since_ms_ = now_ms();
}

template <class Session, class Sink>
void Link<Session, Sink>::await_room(std::coroutine_handle<> waiter) {
  reader_ = waiter;
  awaits_room_ = true;
  wait_for_room();
  feeds_->commit_again();
  if (hangup_ != nullptr && !hangup_told_) socket_.watch_hangup();
}

// Whoever has waited for our room does so no longer.
template <class Session, class Sink>
Link<Session, Sink>* Link<Session, Sink>::release_feeder() {
  Link* const feeder = std::exchange(feeder_, nullptr);
  if (feeder != nullptr) feeder->note_held_back(now_ms() - feeder->held_back_since_ms_);
  return feeder;
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
  return may_arrive == 0 ? 0 : may_arrive + (session_ ? session_->held() : 0);
}

// After any change of what is under way to this peer, or is let in for it.
template <class Session, class Sink>
void Link<Session, Sink>::commit_again() {
  const std::size_t let_in = source_ != nullptr ? source_->may_bring() : 0;
  resources_.pool.commit(committed_, let_in + filling_.size + staged_ + flying_.size);
}

template <class Session, class Sink>
void Link<Session, Sink>::forget_session() {
  if (!session_) return;
  seal_staged();
  give_back_lent();
  sealed_ = {};
  behind_handshake_ = false;
  yielded_ = {};
  session_.reset();
  end_after_yield_ = LinkEnd::kNone;
  if (!socket_.end_of_stream() && socket_.receive_error() == 0) end_ = LinkEnd::kNone;
}

template <class Session, class Sink>
void Link<Session, Sink>::finish_stream() {
  if (socket_.end_of_stream()) {
    using Status = decltype(session_->end_of_stream());
    const bool clean = !session_ || session_->end_of_stream() == Status::kClosed;
    end_with(clean ? LinkEnd::kEndOfStream : LinkEnd::kTruncated);
  } else if (socket_.receive_error() != 0) {
    error_number_ = socket_.receive_error();
    end_with(LinkEnd::kFailed);
  }
}

// Sees to it that something can arrive, or that the room for it is waited for.
template <class Session, class Sink>
bool Link<Session, Sink>::arm_or_wait() {
  if (socket_.armed()) return true;
  const std::size_t held = session_ ? session_->held() : 0;
  if (feeds_ == nullptr) {
    socket_.arm(std::max<std::size_t>(most_, 1), Socket::Arming::kOnce);
    return true;
  }
  Link& to = *feeds_;
  if (to.crowded() && !to.send_failed()) {
    wait_for_room();
    to.commit_again();
    if (hangup_ != nullptr && !hangup_told_) socket_.watch_hangup();
    return true;
  }
  socket_.arm(std::min(to.room(), sealed_most() + held), arming_, held);
  to.commit_again();
  return true;
}

// most_ as it comes from the peer: with a record's worth for what TLS adds.
template <class Session, class Sink>
std::size_t Link<Session, Sink>::sealed_most() const {
  constexpr std::uint64_t kWhatever = std::numeric_limits<std::uint32_t>::max();
  const std::uint64_t most = std::min(most_, kWhatever);
  return static_cast<std::size_t>(session_ ? most + most / 128 + kSealFront + kSealBack : most);
}

template <class Session, class Sink>
void Link<Session, Sink>::release() {
  if (!session_) give_back_lent();
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
  give_back_lent();
  sealed_ = {};
  socket_.discard();
}

template <class Session, class Sink>
void Link<Session, Sink>::watch_input(Ready& noticed, std::size_t room) {
  unwatch_input();
  noticed_ = &noticed;
  stop_feeding();
  most_ = room;
  release();
  if (socket_.has_received() || holds_input() || ended() || end_after_yield_ != LinkEnd::kNone) {
    resources_.loop.ready().push(*noticed_);
  } else {
    arm_or_wait();
  }
}

template <class Session, class Sink>
bool Link<Session, Sink>::quiet() const {
  return noticed_ != nullptr && socket_.armed() && !socket_.has_received() && !ended();
}

template <class Session, class Sink>
template <class Text>
auto Link<Session, Sink>::take_input(Text& to) -> Input {
  CHECK(!reader_, "input is watched while nobody reads");
  if (!produce()) {
    arm_or_wait();
    return Input::kNothing;
  }
  unwatch_input();
  const Bytes bytes = std::exchange(yielded_, {});
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  release();
  return bytes.empty() ? Input::kEnd : Input::kBytes;
}

template <class Session, class Sink>
void Link<Session, Sink>::on_received() {
  wait_no_more();
  if (!reader_) {
    if (noticed_ != nullptr) resources_.loop.ready().push(*noticed_);
    return;
  }
  if (awaits_room_) {
    if (!has_room()) return wait_for_room();
    awaits_room_ = false;
    return std::exchange(reader_, {}).resume();
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
  if (produce()) {
    std::exchange(reader_, {}).resume();
  } else {
    arm_or_wait();
  }
}

template <class Session, class Sink>
void Link<Session, Sink>::await_handshake_step(bool is_first) {
  set_aside_received();
  bool is_quick = !is_first;
  if constexpr (requires { Session::wants_to_resume(sealed_); }) {
    is_quick = is_quick || Session::wants_to_resume(sealed_);
  }
  awaits_step_ = true;
  ++resources_.handshakes_waiting;
  resources_.loop.await_heavy_step(received(),
                                   is_quick ? Loop::HeavyStep::kQuick : Loop::HeavyStep::kUsual);
}

// What has come waits in memory of its own: a crowd of those who wait would leave nobody a buffer
// to receive with.
template <class Session, class Sink>
void Link<Session, Sink>::set_aside_received() {
  if (holds_input() || !socket_.has_received()) return;
  const Received received = socket_.take();
  set_aside(received.bytes);
  note_received(received.bytes.size());
  socket_.give_back(received.buffer);
}

// What is held is given back, these bytes of it excepted.
template <class Session, class Sink>
void Link<Session, Sink>::set_aside(Bytes bytes) {
  std::span<std::byte> copy;
  if (!bytes.empty()) copy = {static_cast<std::byte*>(frames().take(bytes.size())), bytes.size()};
  std::ranges::copy(bytes, copy.begin());
  give_back_lent();
  set_aside_ = copy;
  sealed_ = set_aside_;
}

// For a step of its handshake.
template <class Session, class Sink>
void Link<Session, Sink>::wait_no_more() {
  if (std::exchange(awaits_step_, false)) --resources_.handshakes_waiting;
}

template <class Session, class Sink>
void Link<Session, Sink>::on_left() {
  if (hangup_ == nullptr || std::exchange(hangup_told_, true)) return;
  resources_.loop.ready().push(*hangup_);
}

// Nor is anything told that has happened already.
template <class Session, class Sink>
void Link<Session, Sink>::forget_hangup() {
  socket_.forget_left();
  if (hangup_ != nullptr) std::exchange(hangup_, nullptr)->take_back();
  hangup_told_ = false;
}

template <class Session, class Sink>
void Link<Session, Sink>::abort() {
  aborted_ = true;
  unwatch_input();
  socket_.cancel_connect();
  socket_.disarm();
  if (feeds_ != nullptr) feeds_->commit_again();
  drained_.set();
  if (!reader_) return;
  received().take_back();  // the step that it waited for is not needed any more
  wait_no_more();
  resources_.loop.ready().push(received());
}

template <class Session, class Sink>
Task<> Link<Session, Sink>::close() {
  forget_hangup();
  unwatch_input();
  stop_feeding();
  release_feeder();
  wait_no_more();
  aborted_ = true;
  give_back_lent();
  sealed_ = {};
  // A send that succeeds though it was cancelled is followed by none.
  staged_ = 0;
  resources_.pool.give_back(filling_);
  end_sent_ = true;
  co_await socket_.close();
  resources_.loop.forget_flush(*this);
}

}  // namespace uring
