// The sending half of Link (uring/link.hh).
//
//   filling_:  | sealed records ...... | front | staged plaintext | back |
//              0                  filling_.size
//
// Plaintext is staged where its record will be sealed, so that many small writes become one record
// and nothing is copied twice. Without TLS nothing is staged.
#pragma once

#include "uring/link.hh"

namespace uring {

template <class Session, class Sink>
std::size_t Link<Session, Sink>::room() const {
  const std::size_t share = resources_.pool.share();
  const std::size_t used = kOwnBytes + filling_.size + staged_;
  if (used >= share) return 0;
  const std::size_t free = share - used;
  if (!tls_) return free;
  const std::size_t sealing = free / 128 + kSealFront + kSealBack;
  return free > sealing ? free - sealing : 0;
}

template <class Session, class Sink>
void Link<Session, Sink>::write(Bytes bytes) {
  CHECK(!end_written_, "nothing is written after the end");
  if (bytes.empty() || send_failed()) return;
  if (tls_) {
    stage(bytes);
  } else {
    resources_.pool.reserve(filling_, bytes.size());
    std::memcpy(filling_.end(), bytes.data(), bytes.size());
    filling_.grow(bytes.size());
  }
  resources_.loop.flush_at_end_of_turn(*this);
}

template <class Session, class Sink>
void Link<Session, Sink>::stage(Bytes bytes) {
  if constexpr (requires { Session::kSealFront; }) static_assert(kSealFront == Session::kSealFront);
  while (!bytes.empty()) {
    if (staged_ == 0 && bytes.size() >= kRecordMax) {
      tls_->session->seal(bytes.first(kRecordMax), static_cast<Sink&>(*this));
      bytes = bytes.subspan(kRecordMax);
      continue;
    }
    const std::size_t taken = std::min(bytes.size(), kRecordMax - staged_);
    // The pool keeps what is below batch.size when a batch grows: the staged plaintext, too.
    const std::size_t staged_end = staged_ == 0 ? 0 : kSealFront + staged_;
    filling_.grow(staged_end);
    resources_.pool.reserve(filling_, kSealFront + taken + kSealBack);
    filling_.shrink(staged_end);
    std::memcpy(filling_.end() + kSealFront + staged_, bytes.data(), taken);
    staged_ += static_cast<std::uint32_t>(taken);
    bytes = bytes.subspan(taken);
    if (staged_ == kRecordMax) seal_staged();
  }
}

template <class Session, class Sink>
void Link<Session, Sink>::seal_staged() {
  if (staged_ == 0) return;
  const Bytes plaintext(filling_.end() + kSealFront, staged_);
  staged_ = 0;
  tls_->session->seal(plaintext, static_cast<Sink&>(*this));
}

// What the session has sealed, and what it says of its own: handshake, KeyUpdate, alerts.
template <class Session, class Sink>
void Link<Session, Sink>::append(Bytes sealed) {
  if (staged_ > 0) {
    // The session's own record goes before plaintext that is staged: it makes way.
    filling_.grow(kSealFront + staged_);
    resources_.pool.reserve(filling_, sealed.size() + kSealBack);
    filling_.shrink(kSealFront + staged_);
    std::byte* staged = filling_.end() + kSealFront;
    std::memmove(staged + sealed.size(), staged, staged_);
  } else {
    resources_.pool.reserve(filling_, sealed.size());
  }
  std::memcpy(filling_.end(), sealed.data(), sealed.size());
  filling_.grow(sealed.size());
  resources_.loop.flush_at_end_of_turn(*this);
}

// Where the session seals by itself, a staged plaintext where it lies. Its own records take the way
// above while there is one.
template <class Session, class Sink>
std::byte* Link<Session, Sink>::reserve(std::size_t bytes) {
  if (staged_ > 0) return nullptr;
  resources_.pool.reserve(filling_, bytes);
  return filling_.end();
}

template <class Session, class Sink>
void Link<Session, Sink>::commit(std::size_t bytes) {
  filling_.grow(bytes);
  resources_.loop.flush_at_end_of_turn(*this);
}

template <class Session, class Sink>
void Link<Session, Sink>::write_end(Ending ending) {
  if (end_written_) return;
  if (tls_ && tls_->session->handshake_done() && ending == Ending::kWhole) {
    seal_staged();
    tls_->session->close(static_cast<Sink&>(*this));
  }
  end_written_ = true;
  resources_.loop.flush_at_end_of_turn(*this);
}

template <class Session, class Sink>
void Link<Session, Sink>::flush() {
  if (!socket_.is_open() || socket_.sending()) return;
  if (send_failed()) {
    staged_ = 0;
    resources_.pool.give_back(filling_);
    return;
  }
  seal_staged();
  if (filling_.size > 0) {
    std::swap(filling_, flying_);
    if (tls_) tls_->answers_unsent = 0;
    socket_.send({flying_.data, flying_.size});
  } else if (end_written_ && !end_sent_) {
    end_sent_ = true;
    socket_.shutdown_write();
    note_drained();
  } else {
    // A session that has failed seals nothing: what was staged is gone.
    note_drained();
    commit_again();
    wake_source();
  }
}

template <class Session, class Sink>
void Link<Session, Sink>::on_sent() {
  note_sent(socket_.sent_bytes());
  resources_.pool.give_back(flying_);
  if (send_failed()) {
    staged_ = 0;
    resources_.pool.give_back(filling_);
    note_drained();
  } else if (filling_.size + staged_ > 0 || (end_written_ && !end_sent_)) {
    resources_.loop.flush_at_end_of_turn(*this);
  } else {
    note_drained();
  }
  commit_again();
  wake_source();
}

template <class Session, class Sink>
void Link<Session, Sink>::wake_source() {
  if (!source_waits_ || crowded()) return;
  resources_.loop.ready().push(release_source()->received());
}

template <class Session, class Sink>
std::uint64_t Link<Session, Sink>::written_bytes() {
  seal_staged();
  // What was written before count_from_here() may never be sent.
  const std::uint64_t written = sent_bytes_ + flying_.size + filling_.size;
  return std::max<std::int64_t>(static_cast<std::int64_t>(written), 0);
}

template <class Session, class Sink>
void Link<Session, Sink>::count_from_here(std::size_t bytes_behind) {
  seal_staged();
  received_bytes_ = bytes_behind;
  sent_bytes_ = -std::uint64_t{flying_.size + filling_.size};  // until these have gone
  held_back_ms_ = 0;
  held_back_since_ms_ = now_ms();
}

template <class Session, class Sink>
typename Link<Session, Sink>::Taking Link<Session, Sink>::taking() const {
  if (!socket_.is_open()) return {0, 0};
  const Kernel::Taking seen = resources_.loop.kernel().taking(socket_.descriptor());
  // Of a send that is under way the kernel may have taken a part already, which this does not know.
  return {seen.acknowledged.value_or(sent_bytes_), seen.unacknowledged,
          seen.acknowledged.has_value()};
}

template <class Session, class Sink>
Task<> Link<Session, Sink>::drained() {
  const auto waits = [this] {
    return !aborted_ && !send_failed() && (has_unsent() || (end_written_ && !end_sent_));
  };
  if (!waits()) co_return;
  CHECK(drained_ == nullptr, "one waits for it at a time");
  Event drained(resources_.loop.ready());
  drained_ = &drained;
  while (waits()) {
    drained.clear();
    co_await drained.wait();
  }
  drained_ = nullptr;
}

}  // namespace uring
