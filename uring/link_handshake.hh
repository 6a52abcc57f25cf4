// How a Link shakes hands (uring/link.hh): step by step, as its loop has time for it, with what has
// come set aside meanwhile.
#pragma once

#include "uring/link.hh"

namespace uring {

template <class Session, class Sink>
Task<bool> Link<Session, Sink>::handshake() {
  shaking_hands_ = true;
  // It came behind what was in plain text: a first step that waits as any other's.
  gated_ = holds_input();
  while (!tls_->session->handshake_done() && !ended()) {
    const Bytes behind = co_await read_once(resources_.buffers.bytes_of(BufferGroup::kSmall));
    tls_->behind_handshake = copy_of(behind);
  }
  shaking_hands_ = false;
  co_return !ended();
}

template <class Session, class Sink>
void Link<Session, Sink>::await_handshake_step(bool is_first) {
  set_aside_received();
  bool is_quick = !is_first;
  if constexpr (requires(Bytes sealed) { Session::wants_to_resume(sealed); }) {
    is_quick = is_quick || Session::wants_to_resume(tls_->sealed);
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
  const auto copy = copy_of(bytes);
  give_back_lent();
  tls_->set_aside = copy;
  tls_->sealed = copy;
}

// For a step of its handshake.
template <class Session, class Sink>
void Link<Session, Sink>::wait_no_more() {
  if (std::exchange(awaits_step_, false)) --resources_.handshakes_waiting;
}

}  // namespace uring
